package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/rcclient"
	"ferry/cmd/ferry/internal/top"
)

const topLong = `Show in this terminal what a ferry that was started with --rc or --ui does: what is wrong first, then throughput, transfers, what
waits for the remote, what it refused, sessions, bans, users and remotes; the same as its page shows to browsers.

tab and the numbers change the list, s sorts it by the next column and r the other way round, K ends the chosen session, n sends now
what waits and a sets it aside, t tries a refused file again and d deletes it, u lifts a ban, q quits.

The server is found, and asked with a password, as ferry rc does it.`

// topCommand shows a server in a terminal.
func (p process) topCommand(o *options) *cobra.Command {
	var at rcclient.Server
	server := flags.RC(&o.Options).Only("rc-addr", "rc-user", "rc-pass")
	cmd := &cobra.Command{
		Use:     "top",
		Short:   "Show in a terminal what a server does",
		Long:    topLong,
		Example: "  ferry top\n  ferry top --url :5572 --user bob --pass secret\n  ferry top --unix-socket /run/ferry.sock",
		Args:    flags.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.Resolve(cmd.Flags(), p.env, server); err != nil {
				return err
			}
			if err := at.Complete(&o.RC); err != nil {
				return err
			}
			p.catch()
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			go func() {
				select {
				case <-p.signals:
					cancel()
				case <-ctx.Done():
				}
			}()
			if _, err := at.Post(ctx, "ui/snapshot", nil); err != nil {
				return err
			}
			return top.Run(ctx, at.Post, os.Stdin, p.stdout, p.env)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	at.Flags(f)
	flags.Add(f, server)
	for _, row := range server.Flags {
		f.Lookup(row.Name).Hidden = true
	}
	return cmd
}
