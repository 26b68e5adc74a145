package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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

// A usageError is a mistake on the command line or in the environment. Its text names the flag and the remedy.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

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

// run does what the arguments say and returns the exit status. When ctx ends, it shuts down as on SIGTERM.
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
	if usage := (usageError{}); errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailure
}

func (p process) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "ferry",
		Short:         "Serve a storage remote over FTP and FTPS",
		Args:          wantNoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(groupedUsage)
	root.Flags().Bool("version", false, "Show the version") // without -v, which is for --verbose
	o := &options{}
	root.PersistentFlags().SortFlags = false
	addFlags(root.PersistentFlags(), configFlags(), o)
	addFlags(root.PersistentFlags(), loggingFlags(), o)
	root.AddCommand(p.serveCommand(o), p.checkCommand(o), p.cleanupCommand(o), p.configCommand(o), p.listRemotesCommand(o), p.obscureCommand(), p.rcCommand(o), p.cacheCommand(o), p.versionCommand())
	root.AddCommand(helpTopics()...)
	return root
}

// wantNoArgs refuses what looks like a subcommand and is none.
func wantNoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("%q is not a command of %s: see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
}

// flagError turns what pflag says into the form of this program.
func flagError(cmd *cobra.Command, err error) error {
	var (
		invalid *pflag.InvalidValueError
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
	)
	switch {
	case errors.As(err, &invalid):
		return badValue("--"+invalid.GetFlag().Name, invalid.GetValue(), errors.Unwrap(invalid))
	case errors.As(err, &unknown):
		if unknown.GetSpecifiedShortnames() != "" {
			return usagef("there is no flag -%s: see %s --help", unknown.GetSpecifiedName(), cmd.CommandPath())
		}
		known := map[string]bool{}
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		name := unknown.GetSpecifiedName()
		return usagef("there is no flag --%s%s: see %s --help", name, didYouMean(name, known, "--"), cmd.CommandPath())
	case errors.As(err, &missing):
		return usagef("--%s needs a value: see %s --help", missing.GetFlag().Name, cmd.CommandPath())
	}
	return usageError{err}
}

// badValue is the error of a flag or variable called name whose value means nothing.
func badValue(name, value string, why error) error {
	switch why {
	case errTwice, errHeader, errProxy: // the value may be a secret
		return usagef("%s %w", name, why)
	}
	return usagef("%s %q: %w", name, value, why)
}

// oneLine keeps an error from spreading over several lines.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
