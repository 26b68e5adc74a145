package flags

import (
	"cmp"
	"fmt"
	"slices"
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
	for _, s := range Sections(fs) {
		set := pflag.NewFlagSet(s.Title, pflag.ContinueOnError)
		set.SortFlags = false
		for _, f := range s.Flags {
			set.AddFlag(f)
		}
		fmt.Fprintf(b, "\n%s flags:\n%s", s.Title, set.FlagUsages())
	}
}

// A Section is the flags of a command that one group has.
type Section struct {
	Title string
	Flags []*pflag.Flag
}

// Sections returns the flags of fs that are shown, by group in their order; those of no group come
// last.
func Sections(fs *pflag.FlagSet) []Section {
	groupOf, sections := map[string]string{}, []Section{}
	for _, g := range All(&Options{}) {
		if !g.IsHidden() {
			sections = append(sections, Section{Title: g.Title})
		}
		for _, row := range g.Flags {
			name, _ := row.name()
			groupOf[name] = g.Title
		}
	}
	const others = "Other"
	sections = append(sections, Section{Title: others})
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		title := cmp.Or(groupOf[f.Name], others)
		for i := range sections {
			if sections[i].Title == title {
				sections[i].Flags = append(sections[i].Flags, f)
			}
		}
	})
	return slices.DeleteFunc(sections, func(s Section) bool { return len(s.Flags) == 0 })
}

// Spelled is how a flag is written on the command line.
type Spelled struct {
	Names []string // "-v" and "--verbose"
	Value string   // the kind of its value; "" without
}

// Spelling returns how f is written.
func Spelling(f *pflag.Flag) Spelled {
	var s Spelled
	if f.Shorthand != "" {
		s.Names = append(s.Names, "-"+f.Shorthand)
	}
	s.Names = append(s.Names, "--"+f.Name)
	s.Value, _ = pflag.UnquoteUsage(f)
	return s
}

// Explained returns what f means, with its default.
func Explained(f *pflag.Flag) string {
	_, usage := pflag.UnquoteUsage(f)
	if f.Name == "uid" || f.Name == "gid" {
		return usage + " (default that of the process)"
	}
	switch f.DefValue {
	case "", "false", "0", "0s", "[]":
		return usage
	}
	return usage + " (default " + f.DefValue + ")"
}
