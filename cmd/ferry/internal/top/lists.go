package top

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ferry/ui"
)

// A list is one of the tables.
type list struct {
	title   string
	columns []column
	rows    func(s *ui.Snapshot) []row
	total   func(s *ui.Snapshot) int
	actions map[string]action // by key
}

// A column is as wide as its widest cell; one that takes the rest is of what is left.
type column struct {
	title string
	right bool // it is of numbers
	rest  bool
}

// A row is what is shown of something.
type row struct {
	key    string
	name   string // for messages
	tree   string
	id     any
	busy   bool // it is being sent, or has no content
	cells  []string
	values []float64 // by which numbers are sorted
}

// An action is what a key does with a row.
type action struct {
	what   string // "kick"
	call   string
	params func(r row) map[string]any
	may    func(r row) bool // nil = always
	asks   bool             // whether to do it
	row    row
}

// run makes the call.
func (a action) run(post Post) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), callLimit)
		defer cancel()
		params := a.params(a.row)
		if a.row.tree != "" {
			params["fs"] = a.row.tree
		}
		_, err := post(ctx, a.call, params)
		return done{a.what + " " + a.row.name, err}
	}
}

func byID(r row) map[string]any { return map[string]any{"id": r.id} }

var kick = action{what: "kick", call: "ftp/kick", params: byID, asks: true}

// lists are all, in the order of their numbers.
var lists = []list{
	{
		title:   "Transfers",
		columns: []column{{title: "USER"}, {title: "DIR"}, {title: "FILE", rest: true}, {title: "DONE", right: true}, {title: "SIZE", right: true}, {title: "RATE", right: true}, {title: "LEFT", right: true}},
		rows:    transferRows, total: func(s *ui.Snapshot) int { return s.Transfers.Total },
		actions: map[string]action{"K": kick},
	},
	{
		title:   "Waiting",
		columns: []column{{title: "FILE", rest: true}, {title: "WHAT"}, {title: "SIZE", right: true}, {title: "AGE", right: true}, {title: "TRIES", right: true}, {title: "NEXT", right: true}, {title: "LAST ERROR"}},
		rows:    waitingRows, total: func(s *ui.Snapshot) int { return s.Waiting.Total },
		actions: map[string]action{
			"n": {what: "send now", call: "vfs/queue-set-expiry", params: func(r row) map[string]any { return map[string]any{"id": r.id, "expiry": 0} }},
			"a": {what: "set aside", call: "vfs/queue-set-aside", params: byID, asks: true, may: func(r row) bool { return !r.busy }},
		},
	},
	{
		title:   "Refused",
		columns: []column{{title: "FILE", rest: true}, {title: "SIZE", right: true}, {title: "AGE", right: true}, {title: "REASON"}},
		rows:    refusedRows, total: func(s *ui.Snapshot) int { return s.Refused.Total },
		actions: map[string]action{
			"t": {what: "retry", call: "cache/retry", params: byID},
			"d": {what: "drop", call: "cache/drop", params: byID, asks: true},
		},
	},
	{
		title:   "Sessions",
		columns: []column{{title: "USER"}, {title: "ADDRESS"}, {title: "CLIENT", rest: true}, {title: "TLS"}, {title: "SINCE", right: true}, {title: "IDLE", right: true}, {title: "LAST"}},
		rows:    sessionRows, total: func(s *ui.Snapshot) int { return s.Sessions.Total },
		actions: map[string]action{"K": kick},
	},
	{
		title:   "Bans",
		columns: []column{{title: "ADDRESS"}, {title: "ENDS IN", right: true}, {title: "TIMES", right: true}, {title: "REASON", rest: true}},
		rows:    banRows, total: func(s *ui.Snapshot) int { return s.Bans.Total },
		actions: map[string]action{"u": {what: "unban", call: "ftp/unban", params: func(r row) map[string]any { return map[string]any{"address": r.id} }}},
	},
	{
		title:   "Users",
		columns: []column{{title: "USER", rest: true}, {title: "SESSIONS", right: true}, {title: "STORED", right: true}, {title: "QUOTA", right: true}, {title: "FILES", right: true}},
		rows:    userRows, total: func(s *ui.Snapshot) int { return s.Users.Total },
	},
	{
		title:   "Remotes",
		columns: []column{{title: "REMOTE", rest: true}, {title: "STATE"}, {title: "MEDIAN", right: true}, {title: "99 %", right: true}, {title: "CALLS", right: true}, {title: "ERRORS", right: true}},
		rows:    remoteRows, total: func(s *ui.Snapshot) int { return s.Remotes.Total },
	},
	{
		title:   "Hooks",
		columns: []column{{title: "HOOK"}, {title: "WAITING", right: true}, {title: "GIVEN UP", right: true}, {title: "DONE", right: true}, {title: "LATE", right: true}, {title: "AS YES", right: true}, {title: "AS NO", right: true}, {title: "LAST ERROR", rest: true}},
		rows:    hookRows, total: func(s *ui.Snapshot) int { return s.Hooks.Total },
	},
}

// rows are those of the list that is shown, in its order.
func (m Model) rows() []row {
	if m.snapshot == nil {
		return nil
	}
	rows := lists[m.list].rows(m.snapshot)
	o := m.sorted[m.list]
	if o.column < 0 {
		return rows
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		c := cmp.Compare(strings.ToLower(a.cells[o.column]), strings.ToLower(b.cells[o.column]))
		if lists[m.list].columns[o.column].right {
			c = -cmp.Compare(a.values[o.column], b.values[o.column]) // the largest first
		}
		if o.reverse {
			c = -c
		}
		return c
	})
	return rows
}

// A builder makes the cells of a row.
type builder struct{ row }

func (b *builder) text(s string) { b.number(s, 0) }

func (b *builder) number(s string, v float64) {
	b.cells, b.values = append(b.cells, printable(s)), append(b.values, v)
}

func (b *builder) age(from, to time.Time) {
	d := to.Sub(from)
	b.number(duration(d), d.Seconds())
}

func direction(command string) string {
	switch command {
	case "RETR":
		return "down"
	case "STOR", "APPE", "STOU":
		return "up"
	}
	return command
}

func transferRows(s *ui.Snapshot) (all []row) {
	for _, t := range s.Transfers.Rows {
		b := builder{row{key: fmt.Sprint(t.ID, t.Began), id: t.ID, name: fmt.Sprintf("session %d of %s", t.ID, printable(t.User))}}
		b.text(t.User)
		b.text(direction(t.Command))
		b.text(t.Path)
		share := ""
		if t.Size > 0 {
			share = fmt.Sprintf("%d %%", t.Bytes*100/t.Size)
		}
		b.number(share, float64(t.Bytes))
		b.number(size(t.Size), float64(t.Size))
		b.number(size(int64(t.Rate))+"/s", t.Rate)
		left := ""
		if t.Left > 0 {
			left = duration(time.Duration(t.Left * float64(time.Second)))
		}
		b.number(left, t.Left)
		all = append(all, b.row)
	}
	return all
}

func waitingRows(s *ui.Snapshot) (all []row) {
	for _, w := range s.Waiting.Rows {
		b := builder{row{key: fmt.Sprint(w.Tree, w.ID), id: w.ID, tree: w.Tree, name: printable(w.Name), busy: w.Uploading || !w.File}}
		b.text(w.Name)
		b.text(w.Change)
		b.number(size(w.Size), float64(w.Size))
		b.age(w.Since, s.Time)
		b.number(fmt.Sprint(w.Tries), float64(w.Tries))
		switch {
		case w.Uploading:
			b.number("on its way", -1)
		case w.Due.After(s.Time):
			b.age(s.Time, w.Due)
		default:
			b.number("now", 0)
		}
		b.text(w.Error)
		all = append(all, b.row)
	}
	return all
}

func refusedRows(s *ui.Snapshot) (all []row) {
	for _, r := range s.Refused.Rows {
		b := builder{row{key: r.Tree + r.ID, id: r.ID, tree: r.Tree, name: printable(r.Name)}}
		b.text(r.Name)
		b.number(size(r.Size), float64(r.Size))
		b.age(r.Since, s.Time)
		b.text(r.Reason)
		all = append(all, b.row)
	}
	return all
}

func sessionRows(s *ui.Snapshot) (all []row) {
	for _, c := range s.Sessions.Rows {
		user := c.User
		if user == "" {
			user = "(not logged in)"
		}
		b := builder{row{key: fmt.Sprint(c.ID), id: c.ID, name: fmt.Sprintf("session %d of %s", c.ID, printable(user))}}
		b.text(user)
		b.text(c.Address)
		b.text(c.Client)
		b.text(map[bool]string{true: "yes", false: "no"}[c.TLS])
		b.age(c.Since, s.Time)
		if c.Command == "" {
			b.age(c.Active, s.Time)
		} else {
			b.number("", 0)
		}
		b.text(c.Last)
		all = append(all, b.row)
	}
	return all
}

func banRows(s *ui.Snapshot) (all []row) {
	for _, one := range s.Bans.Rows {
		b := builder{row{key: one.Network, id: one.Network, name: one.Network}}
		b.text(one.Network)
		b.age(s.Time, one.Until)
		b.number(fmt.Sprint(one.Times), float64(one.Times))
		b.text(one.Reason)
		all = append(all, b.row)
	}
	return all
}

func userRows(s *ui.Snapshot) (all []row) {
	for _, u := range s.Users.Rows {
		b := builder{row{key: u.Name, name: printable(u.Name)}}
		b.text(u.Name)
		b.number(fmt.Sprint(u.Sessions), float64(u.Sessions))
		stored, quota, files := "", "", ""
		if u.Counted {
			stored, files = size(u.Bytes), fmt.Sprint(u.Files)
		}
		if u.MaxBytes > 0 {
			quota = size(u.MaxBytes)
		}
		b.number(stored, float64(u.Bytes))
		b.number(quota, float64(u.MaxBytes))
		b.number(files, float64(u.Files))
		all = append(all, b.row)
	}
	return all
}

func remoteRows(s *ui.Snapshot) (all []row) {
	for _, r := range s.Remotes.Rows {
		b := builder{row{key: r.Tree, name: printable(r.Tree)}}
		b.text(r.Tree)
		state := "answers"
		if !r.Away.IsZero() {
			state = "away for " + duration(s.Time.Sub(r.Away))
		}
		b.text(state)
		b.number(duration(time.Duration(r.Median*float64(time.Second))), r.Median)
		b.number(duration(time.Duration(r.Slowest*float64(time.Second))), r.Slowest)
		b.number(fmt.Sprint(r.Calls), float64(r.Calls))
		b.number(fmt.Sprint(r.Errors), float64(r.Errors))
		all = append(all, b.row)
	}
	return all
}

func hookRows(s *ui.Snapshot) (all []row) {
	for _, h := range s.Hooks.Rows {
		b := builder{row{key: fmt.Sprint(h.Asked, h.Name), name: printable(h.Name)}}
		b.text(h.Name)
		for _, n := range []uint64{uint64(h.Waiting), uint64(h.Dead), h.Delivered + h.Answered, h.Late, h.Open, h.Closed} {
			b.number(fmt.Sprint(n), float64(n))
		}
		b.text(h.Error)
		all = append(all, b.row)
	}
	return all
}
