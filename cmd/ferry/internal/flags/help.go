package flags

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// GroupedUsage prints how to use cmd, its flags by group.
func GroupedUsage(cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("Usage:\n")
	if cmd.Runnable() {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s [command]\n\nCommands:\n", cmd.CommandPath())
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				fmt.Fprintf(&b, "  %-12s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	writeFlags(&b, cmd.Flags())
	_, err := fmt.Fprint(cmd.OutOrStderr(), b.String())
	return err
}

// writeFlags prints the flags of fs by group; those of no group, such as --help, come last.
func writeFlags(b *strings.Builder, fs *pflag.FlagSet) {
	groupOf, titles := map[string]string{}, []string{}
	for _, g := range All(&Options{}) {
		if !g.isHidden() {
			titles = append(titles, g.Title)
		}
		for _, row := range g.Flags {
			name, _ := row.name()
			groupOf[name] = g.Title
		}
	}
	sets := map[string]*pflag.FlagSet{}
	fs.VisitAll(func(f *pflag.Flag) {
		group := groupOf[f.Name]
		if sets[group] == nil {
			sets[group] = pflag.NewFlagSet(group, pflag.ContinueOnError)
			sets[group].SortFlags = false
		}
		sets[group].AddFlag(f)
	})
	for _, group := range append(titles, "") {
		if set := sets[group]; set != nil {
			title := "Other flags"
			if group != "" {
				title = group + " flags"
			}
			fmt.Fprintf(b, "\n%s:\n%s", title, set.FlagUsages())
		}
	}
}
