package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/manual"
	"ferry/cmd/ferry/internal/userscmd"
	"ferry/serve/quota"
	"ferry/serve/users"
)

// run does what the arguments say and returns the exit status. When ctx ends, it shuts down as on
// SIGTERM.
func (p process) run(ctx context.Context) int {
	root := p.rootCommand()
	root.SetArgs(p.args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if asked := exitStatus(0); errors.As(err, &asked) {
		return int(asked)
	}
	fmt.Fprintln(p.stderr, "ferry:", oneLine(err.Error()))
	if usage := (flags.UsageError{}); errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailure
}

func (p process) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "ferry",
		Short:         "Serve a storage remote over FTP and FTPS",
		Args:          flags.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(flags.FlagError)
	root.SetUsageFunc(flags.GroupedUsage)
	root.Flags().Bool("version", false, "Show the version") // without -v, which is for --verbose
	o := &options{}
	root.PersistentFlags().SortFlags = false
	flags.Add(root.PersistentFlags(), flags.Config(&o.Options), flags.Logging(&o.Options))
	console := p.console(o)
	root.AddCommand(
		p.serveCommand(o),
		p.checkCommand(o),
		p.doctorCommand(o),
		p.cleanupCommand(o),
		p.configCommand(o),
		console.ListRemotes(),
		console.Obscure(),
		console.Authorize(),
		p.users(o).Command(),
		p.control(o).Command(),
		p.cacheCommand(o),
		p.hooksCommand(o),
		p.acmeCommand(o),
		p.auditCommand(),
		p.healthCommand(o), p.topCommand(o),
		p.versionCommand(),
		manual.Command(p.stdout, version()),
	)
	root.AddCommand(flags.Topics()...)
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = func(_ *cobra.Command, words []string) error { return flags.CheckTopic(root, words) }
	}
	return root
}

// configCommand is ferry config, with what concerns a server.
func (p process) configCommand(o *options) *cobra.Command {
	console := p.console(o)
	console.Check = func(ctx context.Context, what string) error { return p.checkNow(ctx, o, what) }
	cmd := console.Command()
	for _, sub := range cmd.Commands() {
		if sub.Name() == "show" {
			p.extendConfigShow(sub, o)
		}
	}
	elsewhere := p.console(o).Authorize()
	elsewhere.Hidden = true // it is ferry authorize
	cmd.AddCommand(p.configCheckCommand(o), elsewhere)
	return cmd
}

// users returns what the commands about users need of p and o.
func (p process) users(o *options) *userscmd.Console {
	sources := &lazySources{process: p, options: o}
	return &userscmd.Console{
		Prompt: p.prompt(), Env: p.env, Stdout: p.stdout, Flags: &o.Options,
		CheckRemote: func(ctx context.Context, remote string) error {
			_, err := sources.lookup(ctx, remote)
			return err
		},
		Usage: func(ctx context.Context) (*quota.Store, func(), error) { return p.usage(ctx, o) },
		Scan:  func(ctx context.Context, u users.User) (quota.Usage, error) { return p.scan(ctx, o, u) },
	}
}
