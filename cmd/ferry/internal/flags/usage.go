package flags

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ferry/config"
)

// A UsageError is a mistake on the command line or in the environment. Its text names the flag and
// the remedy.
type UsageError struct{ error }

func (e UsageError) Unwrap() error { return e.error }

// Usagef returns a UsageError. To make one of err, format it with %w alone.
func Usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// NoArgs refuses what looks like a subcommand and is none.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return Usagef("%q is not a command of %s: see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
}

// Args refuses fewer than least and more than most arguments.
func Args(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return Usagef("%d arguments do not fit %q: see %s --help", len(args), cmd.UseLine(), cmd.CommandPath())
		}
		return nil
	}
}

// FlagError turns what pflag says into the form of this program.
func FlagError(cmd *cobra.Command, err error) error {
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
			return Usagef("there is no flag -%s: see %s --help", unknown.GetSpecifiedName(), cmd.CommandPath())
		}
		known := map[string]bool{}
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		name := unknown.GetSpecifiedName()
		return Usagef("there is no flag --%s%s: see %s --help", name, didYouMean(name, known, "--"), cmd.CommandPath())
	case errors.As(err, &missing):
		return Usagef("--%s needs a value: see %s --help", missing.GetFlag().Name, cmd.CommandPath())
	}
	return UsageError{err}
}

// badValue is the error of a flag or variable called name whose value means nothing.
func badValue(name, value string, why error) error {
	if quiet, ok := why.(untold); ok {
		return Usagef("%s: %w", name, quiet.error)
	}
	switch why {
	case errTwice, errHeader, errProxy, errEngine: // the value may be a secret
		return Usagef("%s %w", name, why)
	}
	return Usagef("%s %q: %w", name, value, why)
}

// didYouMean names the known word that is nearest to a word, nothing where none is near.
func didYouMean(word string, known map[string]bool, prefix string) string {
	best := config.Nearest(word, slices.Collect(maps.Keys(known)))
	if best == "" {
		return ""
	}
	return " (did you mean " + prefix + best + "?)"
}
