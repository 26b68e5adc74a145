package top

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"ferry/ui"
)

// A fake is a server that notes what it is told.
type fake struct {
	snapshot ui.Snapshot
	calls    []string
	err      error
}

func (f *fake) post(_ context.Context, path string, params map[string]any) ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	if path == "ui/snapshot" {
		return json.Marshal(f.snapshot)
	}
	text, err := json.Marshal(params)
	f.calls = append(f.calls, path+" "+string(text))
	return []byte("{}"), err
}

func newFake() *fake {
	now := time.Now()
	f := &fake{}
	s := &f.snapshot
	s.Time, s.Server = now, ui.Server{Name: "nas", Serves: "/srv", Since: now.Add(-time.Hour), Node: "n1", Nodes: 3}
	s.Trouble = []ui.Trouble{{Bad: true, Text: "the remote nas: cannot be reached"}}
	for i, rate := range []float64{100, 3000, 2000} {
		s.Transfers.Rows = append(s.Transfers.Rows, ui.Transfer{ID: uint64(i + 1), User: fmt.Sprint("user", i), Command: "RETR", Path: fmt.Sprint("/file", i), Bytes: 50, Size: 200, Rate: rate, Left: 90})
	}
	s.Transfers.Total = 3
	s.Waiting.Rows = []ui.Waiting{{Tree: "a:", ID: 7, Name: "late.txt", Change: "file", File: true, Size: 5, Since: now.Add(-time.Hour), Tries: 3, Error: "connection refused"}, {Tree: "a:", ID: 8, Name: "gone", Change: "removed"}}
	s.Waiting.Total = 5000
	s.Refused.Rows = []ui.Refused{{ID: "r1", Name: "bad\x1b[2J\u202e.txt", Reason: "too large"}}
	s.Refused.Total = 1
	s.Bans.Rows = []ui.Ban{{Network: "192.0.2.7/32", Until: now.Add(time.Hour), Times: 2}}
	s.Bans.Total = 1
	s.Hooks.Rows = []ui.Hook{{Name: "erp", Waiting: 41, Error: "connection refused"}, {Name: "av", Asked: true, Answered: 52, Late: 63, Closed: 74, Error: "no answer in 30s"}}
	s.Hooks.Total = 2
	return f
}

// A terminal drives a Model as bubbletea does.
type terminal struct {
	t *testing.T
	m Model
}

func open(t *testing.T, f *fake) *terminal {
	t.Helper()
	term := &terminal{t, New(f.post)}
	term.send(tea.WindowSizeMsg{Width: 100, Height: 20})
	term.send(term.m.Init()())
	return term
}

// send gives the model a message. It returns what its command says; that of a tick is not waited
// for.
func (t *terminal) send(msg tea.Msg) tea.Cmd {
	next, cmd := t.m.Update(msg)
	t.m = next.(Model)
	return cmd
}

// press presses keys, and delivers what comes of them.
func (t *terminal) press(keys ...string) {
	for _, key := range keys {
		msg := tea.KeyPressMsg{Text: key, Code: []rune(key)[0]}
		switch key {
		case "tab":
			msg = tea.KeyPressMsg{Code: tea.KeyTab}
		case "down":
			msg = tea.KeyPressMsg{Code: tea.KeyDown}
		}
		if cmd := t.send(msg); cmd != nil {
			t.send(cmd())
		}
	}
}

func (t *terminal) screen() string { return t.m.View().Content }

func (t *terminal) shows(texts ...string) {
	t.t.Helper()
	for _, text := range texts {
		if !strings.Contains(t.screen(), text) {
			t.t.Errorf("the screen has no %q:\n%s", text, t.screen())
		}
	}
}

func TestTheScreen(t *testing.T) {
	term := open(t, newFake())
	term.shows("ferry nas", "node n1 of 3", "! the remote nas: cannot be reached", "[1 Transfers 3]", "2 Waiting 5000", "user0", "25 %", "90 s")
	lines := strings.Split(term.screen(), "\n")
	if strings.Index(term.screen(), "cannot be reached") > strings.Index(term.screen(), "user0") {
		t.Error("what is wrong does not come first")
	}
	if len(lines) > 20 {
		t.Errorf("%d lines on a screen of 20", len(lines))
	}
	term.press("2")
	term.shows("[2 Waiting 5000]", "late.txt", "connection refused", "60 min")
	term.press("3")
	term.shows(`bad?[2J?.txt`, "too large")
	if strings.ContainsAny(strings.NewReplacer(bold, "", soft, "", inverse, "", red, "", green, "", yellow, "", plain, "").Replace(term.screen()), "\x1b\u202e") {
		t.Errorf("a name moves the cursor: %q", term.screen())
	}
	term.press("8")
	term.shows("[8 Hook", "erp", "41", "connection refused", "av", "52", "63", "74", "no answer in 30s")
	for _, width := range []int{20, 40, 80, 300} {
		term.send(tea.WindowSizeMsg{Width: width, Height: 12})
		for key := range len(lists) {
			term.press(fmt.Sprint(key + 1))
			for _, line := range strings.Split(strings.NewReplacer(bold, "", soft, "", inverse, "", red, "", green, "", yellow, "", plain, "").Replace(term.screen()), "\n") {
				if n := utf8.RuneCountInString(line); n > width {
					t.Errorf("a line of %d on a screen of %d: %q", n, width, line)
				}
			}
		}
	}
}

func TestSorting(t *testing.T) {
	term := open(t, newFake())
	users := func() (order []string) {
		for _, r := range term.m.rows() {
			order = append(order, r.cells[0])
		}
		return order
	}
	for range 6 { // to the rate
		term.press("s")
	}
	if got := users(); !slices.Equal(got, []string{"user1", "user2", "user0"}) {
		t.Errorf("by rate: %v", got)
	}
	term.shows("RATE*")
	term.press("r")
	if got := users(); !slices.Equal(got, []string{"user0", "user2", "user1"}) {
		t.Errorf("by rate, the other way round: %v", got)
	}
	// The chosen row stays chosen when it moves.
	term.press("down", "down", "r")
	if got := term.m.rows()[term.m.row].cells[0]; got != "user1" {
		t.Errorf("chosen is %s", got)
	}
	term.press("s", "s")
	if got := users(); !slices.Equal(got, []string{"user2", "user1", "user0"}) && term.m.sorted[0].column >= 0 {
		t.Errorf("as it comes: %v", got)
	}
}

func TestActions(t *testing.T) {
	f := newFake()
	term := open(t, f)
	term.press("down", "K")
	term.shows("kick session 2 of user1?")
	term.press("n")
	term.shows("nothing was done")
	term.press("K", "y")
	term.shows("kick session 2 of user1")
	term.press("tab", "n", "a", "y", "down", "a")
	term.shows("cannot be done with gone")
	term.press("3", "t", "d", "x", "d", "y", "5", "u", "1", "z", "6", "K")
	want := []string{
		`ftp/kick {"id":2}`, `vfs/queue-set-expiry {"expiry":0,"fs":"a:","id":7}`, `vfs/queue-set-aside {"fs":"a:","id":7}`,
		`cache/retry {"id":"r1"}`, `cache/drop {"id":"r1"}`, `ftp/unban {"address":"192.0.2.7/32"}`,
	}
	if !slices.Equal(f.calls, want) {
		t.Errorf("called were %q", f.calls)
	}
	f.err = errors.New("the password is one of readers")
	term.press("1", "K", "y")
	term.shows("failed: the password is one of readers")
}

func TestAServerThatGoesAway(t *testing.T) {
	f := newFake()
	f.err = errors.New("no remote control answers at :5572")
	term := open(t, f)
	term.shows("no remote control answers")
	f.err = nil
	term.send(term.send(tick{})())
	term.shows("user0")
	f.err = errors.New("it has gone")
	term.send(term.send(tick{})())
	term.shows("what is shown is old: it has gone", "user0")
	f.err = nil
	f.snapshot.Transfers.Rows, f.snapshot.Trouble = nil, nil
	term.send(term.send(tick{})())
	term.shows("All is well.", "nothing")
	for _, key := range []string{"q", "esc"} {
		msg := tea.KeyPressMsg{Text: key, Code: []rune(key)[0]}
		if key == "esc" {
			msg = tea.KeyPressMsg{Code: tea.KeyEscape}
		}
		if cmd := term.send(msg); cmd == nil || cmd() != tea.Quit() {
			t.Errorf("%s does not quit", key)
		}
	}
}
