package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
)

// roff returns the manual page of cmd, in the macros of man(7).
func roff(cmd *cobra.Command, e Edition) string {
	var b strings.Builder
	name := pageName(cmd)
	fmt.Fprintf(&b, ".TH %s %s \"%s\" \"ferry %s\" \"ferry\"\n", strings.ToUpper(escape(name)), sectionOf(cmd), e.Date.Format("2006-01-02"), escape(e.Version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", escape(name), escape(cmd.Short))
	if cmd.Runnable() && sectionOf(cmd) == commands {
		fmt.Fprintf(&b, ".SH SYNOPSIS\n\\fB%s\\fR\n", escape(cmd.UseLine()))
	}
	b.WriteString(".SH DESCRIPTION\n")
	text(&b, described(cmd))
	if cmd.HasExample() {
		b.WriteString(".SH EXAMPLES\n")
		verbatim(&b, cmd.Example)
	}
	for i, s := range flags.Sections(allFlags(cmd)) {
		if i == 0 {
			b.WriteString(".SH OPTIONS\n")
		}
		fmt.Fprintf(&b, ".SS %s\n", escape(s.Title))
		for _, f := range s.Flags {
			fmt.Fprintf(&b, ".TP\n%s\n%s\n", spelled(flags.Spelling(f), escape), line(flags.Explained(f)))
		}
	}
	seeAlso(&b, cmd)
	return b.String()
}

// spelled writes the names of a flag in bold, and its value in italics.
func spelled(s flags.Spelled, escape func(string) string) string {
	var b strings.Builder
	for i, n := range s.Names {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "\\fB%s\\fR", escape(n))
	}
	if s.Value != "" {
		fmt.Fprintf(&b, " \\fI%s\\fR", escape(s.Value))
	}
	return b.String()
}

// text writes paragraphs. Those whose lines are indented stay as they are.
func text(b *strings.Builder, s string) {
	for i, p := range strings.Split(strings.TrimSpace(s), "\n\n") {
		if strings.HasPrefix(p, " ") || strings.Contains(p, "\n  ") {
			verbatim(b, p)
			continue
		}
		if i > 0 {
			b.WriteString(".PP\n")
		}
		fmt.Fprintln(b, line(strings.ReplaceAll(p, "\n", " ")))
	}
}

func verbatim(b *strings.Builder, s string) {
	b.WriteString(".PP\n.nf\n")
	for l := range strings.SplitSeq(strings.Trim(s, "\n"), "\n") {
		fmt.Fprintln(b, line(l))
	}
	b.WriteString(".fi\n")
}

func seeAlso(b *strings.Builder, cmd *cobra.Command) {
	var all []string
	if cmd.HasParent() {
		all = append(all, cited(cmd.Parent()))
	}
	for _, sub := range cmd.Commands() {
		if hasPage(sub) {
			all = append(all, cited(sub))
		}
	}
	if len(all) > 0 {
		fmt.Fprintf(b, ".SH SEE ALSO\n%s\n", strings.Join(all, ",\n"))
	}
}

func cited(cmd *cobra.Command) string {
	return fmt.Sprintf("\\fB%s\\fR(%s)", escape(pageName(cmd)), sectionOf(cmd))
}

// escape has roff take s as text.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
}

// line is escape for what begins a line, where a dot or an apostrophe would be a request.
func line(s string) string {
	s = escape(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		return `\&` + s
	}
	return s
}
