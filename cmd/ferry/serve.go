package main

import (
	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
)

func (p process) serveCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve a remote over a protocol",
		Args:  flags.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.serveFTPCommand(o))
	return cmd
}
