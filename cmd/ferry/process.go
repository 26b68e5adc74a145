package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"ferry/cmd/ferry/internal/configcmd"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/prompt"
	"ferry/cmd/ferry/internal/userscmd"

	"github.com/spf13/cobra"
)

// A process is what this program gets from the system, so that tests can run it within theirs.
type process struct {
	args    []string // without the program's name
	env     []string // KEY=value
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	signals <-chan os.Signal
	notify  func() // begins to send signals, which until then do what they do to any process; nil = they are sent already

	terminalLog bool // a person watches stderr
}

// catch has signals come from now on, for a command that heeds them.
func (p process) catch() {
	if p.notify != nil {
		p.notify()
	}
}

// Exit statuses.
const (
	exitOK      = 0
	exitFailure = 1 // something did not work
	exitUsage   = 2 // the command line or the environment is wrong
)

// An exitStatus is what the process shall end with, after all went well.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// err returns nil for success.
func (s exitStatus) err() error {
	if s == exitOK {
		return nil
	}
	return s
}

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
	root.AddCommand(p.serveCommand(o), p.checkCommand(o), p.cleanupCommand(o), console.Command(), console.ListRemotes(), console.Obscure(), p.users(o).Command(), p.rcCommand(o), p.cacheCommand(o), p.versionCommand())
	root.AddCommand(flags.Topics()...)
	return root
}

// console returns what the commands about the configuration need of p and o.
func (p process) console(o *options) *configcmd.Console {
	return &configcmd.Console{Prompt: p.prompt(), Env: p.env, Stdout: p.stdout, Flags: &o.Options}
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
	}
}

func (p process) prompt() prompt.Prompt {
	return prompt.Prompt{Stdin: p.stdin, Stderr: p.stderr, Signals: p.signals, Catch: p.catch}
}

// oneLine keeps an error from spreading over several lines.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
