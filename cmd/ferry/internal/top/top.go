// Package top shows what a server does in a terminal: the same snapshots as package ui shows to
// browsers, asked for once a second.
//
// The files, in reading order:
//
//	top.go      Model: what keys and snapshots change
//	lists.go    the lists that there are, and their columns; words.go: how numbers are written
//	view.go     what the terminal shows
package top

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"ferry/ui"
)

const (
	// interval is the time between two snapshots.
	interval = time.Second
	// callLimit is how long a call may take.
	callLimit = 10 * time.Second
)

// Post makes a call of the remote control and returns its result as JSON.
type Post func(ctx context.Context, path string, params map[string]any) ([]byte, error)

// A Model is a bubbletea program that shows a server. It is not changed: Update returns the next
// one.
type Model struct {
	post Post

	snapshot *ui.Snapshot // nil = none has come
	err      error        // of the last attempt to get one; nil = there is one
	list     int          // the one that is shown, of lists
	sorted   []order      // of each list
	row      int          // that is chosen
	key      string       // of that row, which stays chosen when it moves
	asking   *action      // waits for yes or no; nil = nothing is asked
	message  string       // what came of the last action
	width    int
	height   int
	help     bool
}

// An order is how a list is sorted.
type order struct {
	column  int // below 0 = as it comes
	reverse bool
}

var _ tea.Model = Model{}

// New returns a Model that has not asked yet.
func New(post Post) Model {
	m := Model{post: post, width: 80, height: 24, sorted: make([]order, len(lists))}
	for i := range m.sorted {
		m.sorted[i].column = -1
	}
	return m
}

// Run shows the server until somebody quits, or ctx ends.
func Run(ctx context.Context, post Post, in io.Reader, out io.Writer, env []string) error {
	_, err := tea.NewProgram(New(post), tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithEnvironment(env)).Run()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Messages.
type (
	got    struct{ snapshot *ui.Snapshot }
	failed struct{ err error }
	tick   struct{}
	done   struct {
		action string
		err    error
	}
)

// Init implements tea.Model.
func (m Model) Init() tea.Cmd { return m.ask }

// ask gets a snapshot.
func (m Model) ask() tea.Msg {
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	text, err := m.post(ctx, "ui/snapshot", nil)
	if err != nil {
		return failed{err}
	}
	var s ui.Snapshot
	if err := json.Unmarshal(text, &s); err != nil {
		return failed{fmt.Errorf("the answer is no snapshot: %w", err)}
	}
	return got{&s}
}

// Update implements tea.Model.
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	later := tea.Tick(interval, func(time.Time) tea.Msg { return tick{} })
	switch msg := msg.(type) {
	case got:
		m.snapshot, m.err = msg.snapshot, nil
		return m.follow(), later
	case failed:
		m.err = msg.err
		return m, later
	case tick:
		return m, m.ask
	case done:
		m.message = msg.action
		if msg.err != nil {
			m.message += " failed: " + msg.err.Error()
		}
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		return m.pressed(msg.String())
	}
	return m, nil
}

// pressed does what a key is for.
func (m Model) pressed(key string) (tea.Model, tea.Cmd) {
	if key == "ctrl+c" {
		return m, tea.Quit
	}
	if a := m.asking; a != nil {
		m.asking = nil
		if key == "y" {
			return m, a.run(m.post)
		}
		m.message = "nothing was done"
		return m, nil
	}
	m.message = ""
	switch key {
	case "q", "esc":
		return m, tea.Quit
	case "tab", "right", "l":
		return m.show((m.list + 1) % len(lists)), nil
	case "shift+tab", "left", "h":
		return m.show((m.list + len(lists) - 1) % len(lists)), nil
	case "down", "j":
		return m.choose(m.row + 1), nil
	case "up", "k":
		return m.choose(m.row - 1), nil
	case "home", "g":
		return m.choose(0), nil
	case "end", "G":
		return m.choose(len(m.rows()) - 1), nil
	case "s":
		return m.sort(func(o *order) { o.column = nextColumn(o.column, len(lists[m.list].columns)) }), nil
	case "r":
		return m.sort(func(o *order) { o.reverse = !o.reverse }), nil
	case "?":
		m.help = !m.help
		return m, nil
	}
	if len(key) == 1 && key[0] >= '1' && int(key[0]-'1') < len(lists) {
		return m.show(int(key[0] - '1')), nil
	}
	return m.act(key)
}

// nextColumn goes through the columns, and then to none.
func nextColumn(column, n int) int {
	if column+1 == n {
		return -1
	}
	return column + 1
}

// act asks for, or does, what a key does with the chosen row.
func (m Model) act(key string) (tea.Model, tea.Cmd) {
	rows := m.rows()
	if m.row >= len(rows) {
		return m, nil
	}
	a, ok := lists[m.list].actions[key]
	if !ok {
		return m, nil
	}
	a.row = rows[m.row]
	if a.may != nil && !a.may(a.row) {
		m.message = "that cannot be done with " + a.row.name
		return m, nil
	}
	if a.asks {
		m.asking = &a
		return m, nil
	}
	return m, a.run(m.post)
}

// show changes the list that is shown.
func (m Model) show(list int) Model {
	m.list = list
	return m.choose(0)
}

// sort changes how the list is sorted.
func (m Model) sort(change func(*order)) Model {
	m.sorted = append([]order(nil), m.sorted...)
	change(&m.sorted[m.list])
	return m.follow()
}

// choose chooses a row.
func (m Model) choose(row int) Model {
	rows := m.rows()
	m.row, m.key = max(min(row, len(rows)-1), 0), ""
	if m.row < len(rows) {
		m.key = rows[m.row].key
	}
	return m
}

// follow chooses the row that was chosen before, wherever it is now.
func (m Model) follow() Model {
	for i, r := range m.rows() {
		if r.key == m.key {
			m.row = i
			return m
		}
	}
	return m.choose(m.row)
}
