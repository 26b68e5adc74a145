package vfs

import (
	"testing"
	"time"

	"ferry/remote"
	"ferry/writeback"
)

// A history is what a client does, and what the remote is then asked to do.
type history struct {
	name  string
	has   []string // on the remote before: name, content, name, content, ...
	steps func(b *rig)
	calls []string
	there []string // afterwards
}

func histories() []history {
	when := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	return []history{
		{"a new file", nil, func(b *rig) { b.upload("f", "x") }, []string{"put f"}, []string{"f=x"}},
		{"an overwrite", []string{"f", "old"}, func(b *rig) { b.upload("f", "new") }, []string{"put f"}, []string{"f=new"}},
		{"a file that is replaced while it waits", nil, func(b *rig) {
			b.upload("f", "one")
			b.upload("f", "two")
		}, []string{"put f"}, []string{"f=two"}},
		{"STOR tmp, RNFR tmp, RNTO final", nil, func(b *rig) {
			b.upload("tmp", "x")
			b.ok(b.Rename(b.t.Context(), "tmp", "final"))
		}, []string{"put final"}, []string{"final=x"}},
		{"a chain of renames", nil, func(b *rig) {
			b.upload("a", "x")
			b.ok(b.Rename(b.t.Context(), "a", "b"))
			b.ok(b.Rename(b.t.Context(), "b", "c"))
			b.ok(b.Rename(b.t.Context(), "c", "d"))
		}, []string{"put d"}, []string{"d=x"}},
		{"there and back", []string{"b", "old"}, func(b *rig) {
			b.upload("a", "x")
			b.ok(b.Rename(b.t.Context(), "a", "b"))
			b.ok(b.Rename(b.t.Context(), "b", "a"))
		}, []string{"put a", "remove b"}, []string{"a=x"}},
		{"STOR, DELE", nil, func(b *rig) {
			b.upload("f", "x")
			b.ok(b.Remove(b.t.Context(), "f"))
		}, nil, nil},
		{"an overwrite that is deleted", []string{"f", "old"}, func(b *rig) {
			b.upload("f", "x")
			b.ok(b.Remove(b.t.Context(), "f"))
		}, []string{"remove f"}, nil},
		{"STOR, DELE, STOR", []string{"f", "old"}, func(b *rig) {
			b.upload("f", "one")
			b.ok(b.Remove(b.t.Context(), "f"))
			b.upload("f", "two")
		}, []string{"put f"}, []string{"f=two"}},
		{"a rename over a file that waits", nil, func(b *rig) {
			b.upload("a", "new")
			b.upload("b", "old")
			b.ok(b.Rename(b.t.Context(), "a", "b"))
		}, []string{"put b"}, []string{"b=new"}},
		{"a rename over a file of the remote", []string{"b", "old"}, func(b *rig) {
			b.upload("a", "new")
			b.ok(b.Rename(b.t.Context(), "a", "b"))
		}, []string{"put b"}, []string{"b=new"}},
		{"an overwrite that is renamed", []string{"a", "old"}, func(b *rig) {
			b.upload("a", "new")
			b.ok(b.Rename(b.t.Context(), "a", "b"))
		}, []string{"put b", "remove a"}, []string{"b=new"}},
		{"an overwrite that is renamed, and another in its place", []string{"a", "old"}, func(b *rig) {
			b.upload("a", "one")
			b.ok(b.Rename(b.t.Context(), "a", "b"))
			b.upload("a", "two")
		}, []string{"put a", "put b"}, []string{"a=two", "b=one"}},
		{"two files swap their names", []string{"a", "old a", "b", "old b"}, func(b *rig) {
			b.upload("a", "one")
			b.upload("b", "two")
			b.ok(b.Rename(b.t.Context(), "a", "t"))
			b.ok(b.Rename(b.t.Context(), "b", "a"))
			b.ok(b.Rename(b.t.Context(), "t", "b"))
		}, []string{"put a", "put b"}, []string{"a=two", "b=one"}},
		{"a file of the remote renamed over one that waits", []string{"a", "far"}, func(b *rig) {
			b.upload("b", "near")
			b.ok(b.Rename(b.t.Context(), "a", "b"))
		}, []string{"put b", "move a b"}, []string{"b=far"}},
		{"a file of the remote renamed to where one was deleted", []string{"a", "far", "b", "old"}, func(b *rig) {
			b.upload("b", "near")
			b.ok(b.Remove(b.t.Context(), "b"))
			b.ok(b.Rename(b.t.Context(), "a", "b"))
		}, []string{"remove b", "move a b"}, []string{"b=far"}},
		{"a directory that something waits in is renamed", []string{"d/f", "far"}, func(b *rig) {
			b.upload("d/g", "near")
			b.ok(b.Rename(b.t.Context(), "d", "e"))
		}, []string{"put d/g", "move d e"}, []string{"e/", "e/f=far", "e/g=near"}},
		{"a directory whose last file is deleted is removed", []string{"d/f", "far"}, func(b *rig) {
			b.upload("d/f", "near")
			b.ok(b.Remove(b.t.Context(), "d/f"))
			b.ok(b.Rmdir(b.t.Context(), "d"))
		}, []string{"remove d/f", "rmdir d"}, nil},
		{"a directory in which a file came and went", nil, func(b *rig) {
			b.ok(b.Mkdir(b.t.Context(), "d"))
			b.upload("d/f", "x")
			wantIs(b.t, b.Rmdir(b.t.Context(), "d"), remote.ErrNotEmpty)
			b.ok(b.Remove(b.t.Context(), "d/f"))
			b.ok(b.Rmdir(b.t.Context(), "d"))
		}, []string{"mkdir d", "rmdir d"}, nil},
		{"a time travels with its file", nil, func(b *rig) {
			b.upload("f", "x")
			b.ok(b.SetModTime(b.t.Context(), "f", when))
			b.ok(b.Rename(b.t.Context(), "f", "g"))
		}, []string{"put g"}, []string{"g=x"}},
		{"what is appended to a file that waits is sent with it", nil, func(b *rig) {
			b.upload("f", "one")
			b.send("f", " two", AtEnd)
			b.send("f", "TWO", 4)
		}, []string{"put f"}, []string{"f=one TWO"}},
		{"what is appended to a file of the remote", []string{"f", "one"}, func(b *rig) {
			b.send("f", " two", AtEnd)
			b.send("f", "TWO", 4)
		}, []string{"put f"}, []string{"f=one TWO"}},
	}
}

func TestWhatWaitsCollapsesIntoTheFewestCalls(t *testing.T) {
	for _, h := range histories() {
		for _, restarted := range []bool{false, true} {
			name := h.name
			if restarted {
				name += ", then a restart"
			}
			t.Run(name, func(t *testing.T) {
				b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
				for i := 0; i < len(h.has); i += 2 {
					b.has(h.has[i], h.has[i+1])
				}
				h.steps(b)
				b.wantSeen(h.there...)
				if restarted {
					b.restart()
					b.wantSeen(h.there...)
				}
				b.flush()
				b.wantCalls(h.calls...)
				b.wantThere(h.there...)
				b.wantSeen(h.there...)
				if n := b.fs.Waiting().Changes; n != 0 {
					t.Errorf("%d changes still wait", n)
				}
				if used := b.store.Stats().Used; used != 0 {
					t.Errorf("%d bytes are left in the cache", used)
				}
			})
		}
	}
}

func TestTheTimeOfAFileThatWaits(t *testing.T) {
	b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
	when := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	b.upload("f", "x")
	b.ok(b.SetModTime(t.Context(), "f", when))
	info, err := b.Stat(t.Context(), "f")
	b.ok(err)
	if !info.ModTime().Equal(when) {
		t.Errorf("the file that waits shows %v", info.ModTime())
	}
	b.flush()
	e, err := b.inner.Stat(t.Context(), "f")
	b.ok(err)
	if !e.ModTime.Equal(when) {
		t.Errorf("the remote has %v", e.ModTime)
	}
}
