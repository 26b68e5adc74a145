package manual

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The sections of man.
const (
	commands = "1"
	topics   = "7"
)

// pages returns cmd and the commands below that have a page.
func pages(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if hasPage(sub) {
			all = append(all, pages(sub)...)
		}
	}
	return all
}

// hasPage leaves out what is hidden, and single types of remotes, which the page of all has.
func hasPage(cmd *cobra.Command) bool {
	return !cmd.Hidden && cmd.Name() != "help" && cmd.Name() != "backend" && (!cmd.HasParent() || !strings.HasPrefix(cmd.Parent().Name(), "backend"))
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// sectionOf returns the section of man: what is only a text for help is no command.
func sectionOf(cmd *cobra.Command) string {
	if cmd.Runnable() || cmd.HasSubCommands() && cmd.Name() != "backends" {
		return commands
	}
	return topics
}

// described returns what cmd says of itself. The page of all types of remotes has their options.
func described(cmd *cobra.Command) string {
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	if cmd.Name() != "backends" {
		return long
	}
	for _, sub := range cmd.Parent().Commands() {
		if sub.Name() == "backend" {
			for _, one := range sub.Commands() {
				if one.Hidden {
					continue
				}
				long += "\n\n" + strings.TrimSpace(one.Long)
			}
		}
	}
	return long
}

// allFlags returns the flags that cmd takes, its own first.
func allFlags(cmd *cobra.Command) *pflag.FlagSet {
	cmd.InitDefaultHelpFlag()
	all := pflag.NewFlagSet(cmd.Name(), pflag.ContinueOnError)
	all.SortFlags = false
	all.AddFlagSet(cmd.Flags())
	all.AddFlagSet(cmd.PersistentFlags())
	all.AddFlagSet(cmd.InheritedFlags())
	return all
}
