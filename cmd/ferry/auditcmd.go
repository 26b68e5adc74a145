package main

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"ferry/audit"
	"ferry/cmd/ferry/internal/flags"
)

const auditLong = `Look after audit logs.

With --audit-chain each line of --audit-log holds the hash of the line before, so that no line can be changed, removed or
added without changing all that follow. "ferry audit verify" finds the first line that does not follow the one before.`

const verifyLong = `Check the files of an audit log that was written with --audit-chain.

Name all files that belong together, older ones too, in any order; those that end in .gz are unpacked. Every place where a
line was changed, removed or added is named, and the exit status is 1 if there is one.

The end of the last file is not protected by what follows: note the hash that is printed at the end somewhere else, and
give it as --noted the next time.`

var hashForm = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)

var errNotAsWritten = errors.New("the audit log is not as it was written; see above")

// auditCommand looks after audit logs.
func (p process) auditCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "audit",
		Short: "Check audit logs",
		Long:  auditLong,
		Args:  flags.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	noted := ""
	verify := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Find lines of an audit log that were changed, removed or added",
		Long:  verifyLong,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return flags.Usagef("which files? %s needs those of --audit-log", cmd.CommandPath())
			case noted != "" && !hashForm.MatchString(noted):
				return flags.Usagef("--noted is not a hash: give the 64 digits that this command has printed")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return p.verifyAudit(args, noted) },
	}
	verify.Flags().StringVar(&noted, "noted", "", "Hash of a line that must be there")
	root.AddCommand(verify)
	return root
}

// verifyAudit prints what is wrong with the files.
func (p process) verifyAudit(names []string, noted string) error {
	r, err := audit.Verify(names, noted)
	if err != nil {
		return err
	}
	for _, f := range r.Findings {
		fmt.Fprintln(p.stdout, f)
	}
	if r.Torn > 0 {
		fmt.Fprintf(p.stdout, "%d lines are there in part: the disk was full, or ferry was killed\n", r.Torn)
	}
	if r.Unchained > 0 {
		fmt.Fprintf(p.stdout, "%d lines at the beginning were written without --audit-chain\n", r.Unchained)
	}
	begins := "those before are in older files"
	if r.Begins || r.Unchained > 0 {
		begins = "they begin with the first"
	}
	switch {
	case r.Lines == 0:
		return errors.New("no line has a hash: audit logs have them with --audit-chain")
	case len(r.Findings) > 0:
		return errNotAsWritten
	case noted != "" && !r.Noted:
		return fmt.Errorf("no line has the hash %s: lines of the end were removed, or it is of other files", noted)
	}
	fmt.Fprintf(p.stdout, "%d lines are as they were written; %s\nhash of the last line: %s\n", r.Lines, begins, r.Last)
	return nil
}
