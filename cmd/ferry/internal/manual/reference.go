package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
)

// Reference returns all flags of all commands in Markdown, those that several have once.
func Reference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# All flags\n\nThis page is made from the table of flags by `ferry manual flags`. Each flag can be set by a variable too: " +
		"`--passive-port` by\n`FERRY_PASSIVE_PORT`, or else `RCLONE_PASSIVE_PORT`. The options of remotes are in `ferry help backends`.\n")
	seen := map[string]bool{}
	for _, cmd := range pages(root) {
		title := false
		for _, s := range flags.Sections(allFlags(cmd)) {
			table := false
			for _, f := range s.Flags {
				if seen[s.Title+" "+f.Name] || f.Name == "help" {
					continue
				}
				seen[s.Title+" "+f.Name] = true
				if !title {
					fmt.Fprintf(&b, "\n## %s\n", cmd.CommandPath())
					title = true
				}
				if !table {
					fmt.Fprintf(&b, "\n### %s\n\n| flag | meaning |\n|---|---|\n", s.Title)
					table = true
				}
				spelled := flags.Spelling(f)
				names := "`" + strings.Join(spelled.Names, "`, `")
				if spelled.Value != "" {
					names += " " + spelled.Value
				}
				fmt.Fprintf(&b, "| %s` | %s |\n", strings.ReplaceAll(names, "|", `\|`), strings.ReplaceAll(flags.Explained(f), "|", `\|`))
			}
		}
	}
	return b.String()
}
