package configcmd

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/registry"
)

// ListRemotes returns ferry listremotes.
func (c *Console) ListRemotes() *cobra.Command {
	var long, asJSON bool
	cmd := &cobra.Command{
		Use:   "listremotes",
		Short: "List the remotes of the configuration file and the environment",
		Args:  flags.NoArgs,
		RunE: c.withConfig(func(cmd *cobra.Command, f *config.File, _ []string) error {
			d, err := f.Document(cmd.Context())
			if err != nil {
				return err
			}
			text := formatRemotes
			switch {
			case asJSON:
				text = formatRemotesJSON
			case long:
				text = formatRemotesLong
			}
			_, err = c.Stdout.Write([]byte(text(config.Sources{Env: config.ParseEnviron(c.Env), File: d}.Remotes())))
			return err
		}),
	}
	cmd.Flags().BoolVar(&long, "long", false, "Show types, descriptions, and which types have no driver")
	cmd.Flags().BoolVar(&asJSON, "json", false, "Print JSON, with everything")
	return cmd
}

func formatRemotes(list []config.Listed) string {
	var b strings.Builder
	for _, l := range list {
		fmt.Fprintf(&b, "%s:\n", l.Name)
	}
	return b.String()
}

func formatRemotesLong(list []config.Listed) string {
	name, typ := 0, 0
	for _, l := range list {
		name, typ = max(name, len(l.Name)), max(typ, len(l.Type))
	}
	known := config.Sources{Types: registry.Types(), Bridges: registry.Bridges()}
	var b strings.Builder
	for _, l := range list {
		about := l.Description
		if _, err := known.Type(l.Type); err != nil {
			about = strings.TrimSpace("(no driver) " + about)
		}
		fmt.Fprintf(&b, "%-*s %-*s %s\n", name+1, l.Name+":", typ, l.Type, about)
	}
	return b.String()
}

// formatRemotesJSON returns an array with an object on each line.
func formatRemotesJSON(list []config.Listed) string {
	var lines []string
	for _, l := range list {
		line, err := json.Marshal(l)
		if err != nil {
			panic(err) // strings only
		}
		lines = append(lines, string(line))
	}
	return strings.TrimSuffix("[\n"+strings.Join(lines, ",\n"), "\n") + "\n]\n"
}
