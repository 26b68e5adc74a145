// Package manual writes what the commands and the table of flags say as pages for man, and as a
// reference in Markdown.
package manual

import (
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
)

// An Edition is what pages say of where they come from.
type Edition struct {
	Version string
	Date    time.Time
}

// Command is "ferry manual": it is for who makes packages, and hidden.
func Command(stdout io.Writer, version string) *cobra.Command {
	cmd := &cobra.Command{
		Use: "manual", Short: "Write the pages of the manual", Hidden: true, Args: flags.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var date string
	man := &cobra.Command{
		Use: "man DIRECTORY", Short: "Write a page for man for each command", Args: flags.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			day, err := time.Parse(time.DateOnly, date)
			if err != nil {
				return flags.Usagef("--date: %w", err)
			}
			return WritePages(cmd.Root(), args[0], Edition{Version: version, Date: day})
		},
	}
	man.Flags().StringVar(&date, "date", time.Now().UTC().Format(time.DateOnly), "Date of the pages")
	reference := &cobra.Command{
		Use: "flags", Short: "Write a reference of all flags in Markdown", Args: flags.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(stdout, Reference(cmd.Root()))
			return err
		},
	}
	cmd.AddCommand(man, reference)
	return cmd
}

// WritePages writes the pages of root and of all below into dir, which is made.
func WritePages(root *cobra.Command, dir string, e Edition) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, cmd := range pages(root) {
		name := pageName(cmd) + "." + sectionOf(cmd)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(roff(cmd, e)), 0o644); err != nil {
			return err
		}
	}
	return nil
}
