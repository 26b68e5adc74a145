package flags

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ferry/config"
	"ferry/registry"
)

// Topics are what "ferry help" knows besides the commands: the types of remotes and their options.
func Topics() []*cobra.Command {
	list := &cobra.Command{Use: "backends", Short: "The types of remotes", Long: backendsText(registry.Types())}
	one := &cobra.Command{
		Use:   "backend",
		Short: "The options of a type of remote, as in: ferry help backend s3",
		Long:  "The types of remotes and their options:\n\n" + backendsText(registry.Types()),
	}
	for _, t := range registry.Types() {
		one.AddCommand(&cobra.Command{
			Use:     TopicName(t),
			Aliases: []string{t.Name},
			Short:   t.Help,
			Long:    backendText(t),
		})
	}
	return []*cobra.Command{list, one, rcloneTopic()}
}

// TopicName is one word for a type: the prefix of its flags.
func TopicName(t config.Type) string { return cmp.Or(t.Prefix, t.Name) }

func backendsText(types []config.Type) string {
	var b strings.Builder
	for _, t := range types {
		fmt.Fprintf(&b, "  %-12s %s\n", TopicName(t), t.Help)
	}
	b.WriteString("\nTheir options: ferry help backend TYPE\n")
	return b.String()
}

// backendText describes every option: its meaning, its default and how it is set.
func backendText(t config.Type) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (type = %s)\n\n", t.Help, t.Name)
	if len(t.Options) == 0 {
		b.WriteString("It has no options.\n")
		return b.String()
	}
	fmt.Fprintf(&b, "An option is a line of the configuration file, a parameter of a remote string (name,%s=...:path), a flag or\n"+
		"a variable. RCLONE_CONFIG_<REMOTE>_<OPTION> sets it for one remote.\n", t.Options[0].Name)
	for _, o := range t.Options {
		fmt.Fprintf(&b, "\n%s\n    %s\n", o.Name, o.Help)
		var facts []string
		if o.Required {
			facts = append(facts, "required")
		}
		if o.Obscured {
			facts = append(facts, "a password, obscured (ferry obscure)")
		}
		if o.Default != "" {
			facts = append(facts, "default "+o.Default)
		}
		facts = append(facts, "--"+t.Flag(o), t.Variable(o))
		fmt.Fprintf(&b, "    %s\n", strings.Join(facts, "; "))
	}
	if t.Notes != "" {
		fmt.Fprintf(&b, "\n%s\n", t.Notes)
	}
	return b.String()
}
