package top

import (
	"fmt"
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
)

// Styles of ANSI terminals, which every terminal has.
const (
	bold    = "\x1b[1m"
	soft    = "\x1b[2m"
	inverse = "\x1b[7m"
	red     = "\x1b[31m"
	green   = "\x1b[32m"
	yellow  = "\x1b[33m"
	plain   = "\x1b[0m"
)

// View implements tea.Model.
func (m Model) View() tea.View {
	v := tea.NewView(strings.Join(m.lines(), "\n"))
	v.AltScreen = true
	v.WindowTitle = "ferry top"
	return v
}

// lines are those of the screen.
func (m Model) lines() []string {
	if m.snapshot == nil {
		text := "asking the server ..."
		if m.err != nil {
			text = m.err.Error()
		}
		return []string{m.line(text, ""), "", m.line("q quit", soft)}
	}
	lines := m.head()
	body := m.body(max(m.height-len(lines)-2, 3))
	return append(append(lines, body...), m.foot())
}

// line is a text in a style, as wide as the screen at most.
func (m Model) line(text, style string) string {
	text = strings.TrimRight(fit(printable(text), m.width, false), " ")
	if style == "" || text == "" {
		return text
	}
	return style + text + plain
}

// maxTrouble is how many lines are for what is wrong.
const maxTrouble = 4

// head tells of the server: what is wrong first.
func (m Model) head() []string {
	s := m.snapshot
	title := fmt.Sprintf("ferry %s  %s  up %s", s.Server.Name, s.Server.Serves, duration(s.Time.Sub(s.Server.Since)))
	if s.Server.Node != "" {
		title += fmt.Sprintf("  node %s of %d", s.Server.Node, s.Server.Nodes)
	}
	lines := []string{m.line(title, bold)}
	if m.err != nil {
		lines = append(lines, m.line("no answer, what is shown is old: "+m.err.Error(), red))
	}
	for i, t := range s.Trouble {
		if i == maxTrouble {
			lines = append(lines, m.line(fmt.Sprintf("and %d more", len(s.Trouble)-maxTrouble), red))
			break
		}
		style := yellow
		if t.Bad {
			style = red
		}
		lines = append(lines, m.line("! "+t.Text, style))
	}
	if len(s.Trouble) == 0 && m.err == nil {
		lines = append(lines, m.line("All is well.", green))
	}
	lines = append(lines, m.line(fmt.Sprintf("in %s/s  out %s/s   %d sessions  %d transfers   waiting %d of %s",
		size(int64(s.Traffic.In)), size(int64(s.Traffic.Out)), s.Sessions.Total, s.Transfers.Total, s.Queue.Changes, size(s.Queue.Bytes)), ""))
	var tabs []string
	for i, l := range lists {
		tab := fmt.Sprintf("%d %s %d", i+1, l.title, l.total(s))
		if i == m.list {
			tab = "[" + tab + "]"
		}
		tabs = append(tabs, tab)
	}
	return append(lines, m.line(strings.Join(tabs, "  "), bold))
}

// body is the list, by as many lines as there are.
func (m Model) body(height int) []string {
	l, rows := lists[m.list], m.rows()
	widths := m.widths(l, rows)
	lines := []string{m.cells(m.titles(l), l, widths, soft)}
	if len(rows) == 0 {
		lines = append(lines, m.line("nothing", soft))
	}
	height--
	first := max(min(m.row-height/2, len(rows)-height), 0)
	for i := first; i < min(first+height, len(rows)); i++ {
		style := ""
		if i == m.row {
			style = inverse
		}
		lines = append(lines, m.cells(rows[i].cells, l, widths, style))
	}
	for len(lines) < height+1 {
		lines = append(lines, "")
	}
	return lines
}

// titles are those of the columns; that by which the list is sorted is marked.
func (m Model) titles(l list) []string {
	var all []string
	for i, c := range l.columns {
		title := c.title
		if o := m.sorted[m.list]; o.column == i {
			title += map[bool]string{false: "*", true: "^"}[o.reverse]
		}
		all = append(all, title)
	}
	return all
}

// Least widths: of a column that takes the rest, and of one of numbers, so that it does not jump.
const (
	leastRest   = 12
	leastNumber = 9
)

// widths are those of the columns. What is too much is taken from the last one that is a text.
func (m Model) widths(l list, rows []row) []int {
	widths, rest, sum := make([]int, len(l.columns)), 0, 0
	for i, c := range l.columns {
		widths[i] = utf8.RuneCountInString(c.title) + 1
		if c.right && m.width >= 80 {
			widths[i] = max(widths[i], leastNumber)
		}
		if c.rest {
			rest = i
		}
		for _, r := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(r.cells[i]))
		}
		sum += widths[i] + 2
	}
	over := sum - m.width
	for _, i := range []int{rest, len(widths) - 1} {
		if c := l.columns[i]; over > 0 && !c.right {
			less := min(over, max(widths[i]-leastRest, 0))
			widths[i] -= less
			over -= less
		}
	}
	if over < 0 {
		widths[rest] -= over
	}
	return widths
}

func (m Model) cells(texts []string, l list, widths []int, style string) string {
	var b strings.Builder
	for i, text := range texts {
		b.WriteString(fit(text, widths[i], l.columns[i].right))
		b.WriteString("  ")
	}
	return m.line(b.String(), style)
}

// foot tells what was done, what is asked, or which keys there are.
func (m Model) foot() string {
	switch {
	case m.asking != nil:
		return m.line(fmt.Sprintf("%s %s? y yes, any other key no", m.asking.what, m.asking.row.name), bold+yellow)
	case m.message != "":
		return m.line(m.message, bold)
	case m.help:
		return m.line("tab or 1-8 another list, up and down choose, s sort by the next column, r reverse, K kick, n send now, a set aside, t retry, d drop, u unban, q quit", soft)
	}
	keys := "tab list  s sort  r reverse"
	for _, k := range []string{"K", "n", "a", "t", "d", "u"} {
		if a, ok := lists[m.list].actions[k]; ok {
			keys += "  " + k + " " + a.what
		}
	}
	return m.line(keys+"  ? help  q quit", soft)
}
