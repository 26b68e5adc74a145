package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ferry/acme"
	"ferry/cmd/ferry/internal/flags"
)

const acmeLong = `Look after the certificates of --acme.

The commands want the file of --server-config that the server has, or its --acme flags and --cache-dir, best as variables
(FERRY_ACME=ftp.example.org).
A server that runs takes over within a minute what "ferry acme renew" has got; while one of the two asks the authority,
the other waits. doc/certificates.md tells what a certificate needs.`

// acmeCommand looks after certificates that an authority gives by itself.
func (p process) acmeCommand(o *options) *cobra.Command {
	root := &cobra.Command{
		Use:   "acme",
		Short: "Show, renew and check certificates of --acme",
		Long:  acmeLong,
		Args:  flags.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	asJSON := false
	sub := func(use, short string, args cobra.PositionalArgs, run func(acmeConsole, context.Context, []string) error) *cobra.Command {
		cmd := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, names []string) error {
			c, err := p.acmeConsole(cmd, o)
			if err != nil {
				return p.told(o.ServerConfig, err)
			}
			c.json = asJSON
			return run(c, cmd.Context(), names)
		}}
		flags.Add(cmd.Flags(), flags.Certificates(&o.Options), flags.Cache(&o.Options).Only("cache-dir"))
		addServeFlags(cmd, o)
		root.AddCommand(cmd)
		return cmd
	}
	show := sub("show", "Show names, expiry, the last error and the next try, and the records to create", flags.NoArgs, acmeConsole.show)
	show.Flags().BoolVar(&asJSON, "json", false, "Print JSON")
	sub("renew [NAME...]", "Get new certificates now, whether due or not", cobra.ArbitraryArgs, acmeConsole.renew)
	sub("check", "Try what a certificate needs, without asking for one", flags.NoArgs, acmeConsole.check)
	return root
}

// acmeConsole does what a command says.
type acmeConsole struct {
	*acme.Manager
	persist bool
	out     io.Writer
	json    bool
}

// acmeConsole reads the flags and what is stored.
func (p process) acmeConsole(cmd *cobra.Command, o *options) (acmeConsole, error) {
	if err := p.readFlags(cmd.Flags(), o); err != nil {
		return acmeConsole{}, err
	}
	if len(o.ACME.Names) == 0 {
		return acmeConsole{}, flags.Usagef("which certificates? give --acme or --server-config as the server has it, or set FERRY_ACME")
	}
	if err := o.ACME.Check(o.Given); err != nil {
		return acmeConsole{}, err
	}
	settings, err := o.acmeOptions(slog.New(slog.DiscardHandler))
	if err != nil {
		return acmeConsole{}, err
	}
	m, err := acme.New(settings)
	if err != nil {
		return acmeConsole{}, fmt.Errorf("--acme: %w", err)
	}
	return acmeConsole{Manager: m, persist: o.ACME.Persist(), out: p.stdout}, nil
}

// show prints what is known of each name, and the records that have to be there.
func (c acmeConsole) show(ctx context.Context, _ []string) error {
	var records []acme.Record
	var err error
	if c.persist {
		records, err = c.Records(ctx)
	}
	if c.json {
		text, jsonErr := json.MarshalIndent(struct {
			Certificates []acme.Status `json:"certificates"`
			Records      []acme.Record `json:"records,omitempty"`
		}{c.Status(), records}, "", "  ")
		fmt.Fprintf(c.out, "%s\n", text)
		return errors.Join(err, jsonErr)
	}
	for _, s := range c.Status() {
		fmt.Fprintln(c.out, statusLine(s))
	}
	for _, r := range records {
		state := "create it, once"
		if r.Found {
			state = "it is there"
		}
		fmt.Fprintf(c.out, "%s ; %s\n", r, state)
	}
	return err
}

// statusLine is what a person reads of a certificate.
func statusLine(s acme.Status) string {
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	line := s.Name + ": there is no certificate yet"
	if !s.StandIn {
		line = fmt.Sprintf("%s: expires %s, renewed from %s on, by %s", s.Name, at(s.Expires), at(s.Renew), s.Issuer)
	}
	if s.Error != "" {
		line += fmt.Sprintf("\n  tried %s: %s\n  next try %s", at(s.Tried), s.Error, at(s.Next))
	}
	return line
}

// renew gets new certificates for names, or for all.
func (c acmeConsole) renew(ctx context.Context, names []string) error {
	if len(names) == 0 {
		names = c.Names()
	}
	err := c.Renew(ctx, names...)
	for _, s := range c.Status() {
		if !s.StandIn && s.Error == "" && slices.Contains(names, s.Name) {
			fmt.Fprintln(c.out, statusLine(s))
		}
	}
	return err
}

// check prints what was tried, and fails if something is not as it has to be.
func (c acmeConsole) check(ctx context.Context, _ []string) error {
	failed := 0
	for _, f := range c.Check(ctx) {
		line := "ok    "
		if f.Err != nil {
			failed++
			line = "WRONG "
		}
		if f.Name != "" {
			line += f.Name + ": "
		}
		line += f.What
		if f.Note != "" {
			line += ": " + f.Note
		}
		if f.Err != nil {
			line += ": " + oneLine(f.Err.Error())
		}
		fmt.Fprintln(c.out, line)
	}
	if failed > 0 {
		return fmt.Errorf("%d of the things that a certificate needs are not there", failed)
	}
	return nil
}
