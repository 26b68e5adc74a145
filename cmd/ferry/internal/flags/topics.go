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
	types := registry.Types()
	list := &cobra.Command{Use: "backends", Short: "The types of remotes", Long: backendsText(types)}
	one := &cobra.Command{
		Use:   "backend",
		Short: "The options of a type of remote, as in: ferry help backend s3",
		Long:  "The types of remotes and their options:\n\n" + backendsText(types),
	}
	for _, parent := range []*cobra.Command{list, one} {
		parent.SetUsageFunc(func(*cobra.Command) error { return nil }) // it is a text, and none of a command
		for _, t := range types {
			parent.AddCommand(&cobra.Command{Use: TopicName(t), Aliases: []string{t.Name}, Short: t.Help, Long: backendText(t)})
		}
		for _, b := range registry.Bridges() {
			word := strings.ReplaceAll(b.Type, " ", "")
			parent.AddCommand(&cobra.Command{Use: word, Hidden: true, Short: b.About, Long: bridgeText(b)})
		}
	}
	return []*cobra.Command{list, one, rcloneTopic()}
}

// CheckTopic returns an error for words behind "ferry help" that are no command of root, and no
// topic: what is shown otherwise is the help of something else.
func CheckTopic(root *cobra.Command, words []string) error {
	found, rest, err := root.Find(words)
	switch {
	case err != nil:
		return UsageError{err}
	case len(rest) == 0:
		return nil
	case found.Name() == "backend" || found.Name() == "backends":
		if _, err := (config.Sources{Types: registry.Types(), Bridges: registry.Bridges()}).Type(rest[0]); err != nil {
			return UsageError{err}
		}
	}
	return Usagef("there is no command %q: ferry help lists which there are", strings.Join(words, " "))
}

// bridgeText says how a type without a driver is served all the same.
func bridgeText(b config.Bridge) string {
	command, remoteString := b.Lines("NAME:")
	return fmt.Sprintf("%s (type = %s): ferry has no driver for it. Let rclone serve it, and name that in its place:\n\n  %s\n  ferry serve ftp '%s'\n",
		b.About, b.Type, command, remoteString)
}

// TopicName is one word for a type: the prefix of its flags.
func TopicName(t config.Type) string { return cmp.Or(t.Prefix, t.Name) }

func backendsText(types []config.Type) string {
	var b strings.Builder
	for _, t := range types {
		fmt.Fprintf(&b, "  %-12s %s\n", TopicName(t), t.Help)
	}
	b.WriteString("\nTheir options: ferry help backends TYPE\n")
	var others []string
	for _, o := range registry.Bridges() {
		others = append(others, o.Type)
	}
	fmt.Fprintf(&b, "\nWithout a driver, and served through rclone (the same command says how):\n%s\n", wrap(strings.Join(others, ", "), "  "))
	return b.String()
}

// width is how wide texts are that are filled.
const width = 100

// wrap breaks a text at spaces into lines that begin with indent.
func wrap(text, indent string) string {
	var b strings.Builder
	line := indent
	for i, word := range strings.Fields(text) {
		if i > 0 && len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return b.String() + line
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
	fmt.Fprintf(&b, "\nExample:\n  ferry config create NAME %s %s\n", TopicName(t), strings.Join(registry.Example(t), " "))
	var without []config.Option
	for _, o := range t.Options {
		if o.NoEffect() {
			without = append(without, o)
			continue
		}
		b.WriteString(optionText(t, o))
	}
	if len(without) > 0 {
		b.WriteString("\nWithout effect here:\n")
	}
	for _, o := range without {
		fmt.Fprintf(&b, "  %s: %s\n", o.Name, strings.TrimPrefix(o.Help, config.WithoutEffect))
	}
	if t.Notes != "" {
		fmt.Fprintf(&b, "\n%s\n", t.Notes)
	}
	return b.String()
}

func optionText(t config.Type, o config.Option) string {
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
	return fmt.Sprintf("\n%s\n    %s\n    %s\n", o.Name, o.Help, strings.Join(facts, "; "))
}
