package ledger_test

import (
	"strings"
	"testing"

	"ferry/remote/remotetest/ledger"
)

func TestWhatMayBeThere(t *testing.T) {
	type tree = map[string]string
	stored := func(names ...string) *ledger.Ledger {
		l := ledger.New()
		for _, name := range names {
			l.Set(name, ledger.One("old "+name))
		}
		return l
	}
	for _, tt := range []struct {
		name string
		made func() *ledger.Ledger
		tree tree
		says string // "" = nothing is wrong
	}{
		{"what was stored", func() *ledger.Ledger { return stored("a") }, tree{"a": "old a"}, ""},
		{"something else", func() *ledger.Ledger { return stored("a") }, tree{"a": "new"}, `a is "new", may be "old a"`},
		{"nothing", func() *ledger.Ledger { return stored("a") }, tree{}, `a is absent, may be "old a"`},
		{"a stranger", func() *ledger.Ledger { return stored("a") }, tree{"a": "old a", "b": ""}, "nobody has made b"},
		{"a directory", func() *ledger.Ledger {
			l := stored()
			l.Set("d/", ledger.One(ledger.Directory))
			return l
		}, tree{}, "d/ is absent, may be a directory"},
		{"the old of a change without an answer", func() *ledger.Ledger {
			l := stored("a")
			l.Add("a", ledger.One("new"))
			return l
		}, tree{"a": "old a"}, ""},
		{"the new of a change without an answer", func() *ledger.Ledger {
			l := stored("a")
			l.Add("a", ledger.One("new"))
			return l
		}, tree{"a": "new"}, ""},
		{"the one before the last that was acknowledged", func() *ledger.Ledger {
			l := stored("a")
			l.Add("a", ledger.One("new"))
			l.Set("a", ledger.One("last"))
			return l
		}, tree{"a": "new"}, `a is "new", may be "last"`},
		{"a rename that was acknowledged", func() *ledger.Ledger {
			l := stored("a", "b")
			l.Rename("a", "b", true)
			return l
		}, tree{"b": "old a"}, ""},
		{"a rename that copied", func() *ledger.Ledger {
			l := stored("a", "b")
			l.Rename("a", "b", true)
			return l
		}, tree{"a": "old a", "b": "old a"}, `a is "old a", may be absent`},
		{"both names after a rename without an answer", func() *ledger.Ledger {
			l := stored("a")
			l.Rename("a", "b", false)
			return l
		}, tree{"a": "old a", "b": "old a"}, ""},
		{"neither name after a rename without an answer", func() *ledger.Ledger {
			l := stored("a", "b")
			l.Rename("a", "b", false)
			return l
		}, tree{"b": "old b"}, `"old a" is neither a nor b`},
		{"what a late rename carried along", func() *ledger.Ledger {
			l := stored("a")
			l.Rename("a", "b", false)
			l.Set("a", ledger.One("new"))
			return l
		}, tree{"a": "new", "b": "new"}, ""},
		{"what a late rename may not replace", func() *ledger.Ledger {
			l := stored("a")
			l.Rename("a", "b", false)
			l.Set("b", ledger.One("last"))
			l.Add("a", ledger.One("new"))
			return l
		}, tree{"a": "new", "b": "new"}, `b is "new", may be "last"`},
		{"a directory that was renamed", func() *ledger.Ledger {
			l := stored("d/a")
			l.Set("d/", ledger.One(ledger.Directory))
			l.RenameDir("d", "e", true)
			return l
		}, tree{"e/": ledger.Directory, "e/a": "old d/a"}, ""},
		{"a directory that was perhaps renamed, and has lost a file", func() *ledger.Ledger {
			l := stored("d/a")
			l.Set("d/", ledger.One(ledger.Directory))
			l.RenameDir("d", "e", false)
			return l
		}, tree{"e/": ledger.Directory}, `"old d/a" is neither d/a nor e/a`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(tt.made().Check(tt.tree), "; "); got != tt.says {
				t.Errorf("%q, want %q", got, tt.says)
			}
		})
	}
}
