package vfs

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// factual is a far side that keeps facts of files, as object stores do: the name under which a
// file was new.
type factual struct {
	remote.Remote // without its abilities but for those below
	m             *memory.Remote
	mu            sync.Mutex
	facts         map[string]string // guarded by mu
}

func (f *factual) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	f.mu.Lock()
	facts, known := f.facts[o.FactsOf]
	f.mu.Unlock()
	if !known {
		facts = "new"
	}
	e, err := f.Remote.Put(ctx, name, body, o)
	if err == nil {
		f.say(name, facts)
	}
	return e, err
}

func (f *factual) Remove(ctx context.Context, name string) error {
	err := f.Remote.Remove(ctx, name)
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.facts, name)
	}
	return err
}

func (f *factual) Move(ctx context.Context, from, to string) error {
	err := f.m.Move(ctx, from, to)
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.facts[to] = f.facts[from]
		delete(f.facts, from)
	}
	return err
}

func (f *factual) SetModTime(ctx context.Context, name string, t time.Time) error {
	return f.m.SetModTime(ctx, name, t)
}

func (f *factual) say(name, facts string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.facts[name] = facts
}

// want compares what is known of the files: name and facts in turn.
func (f *factual) want(t *testing.T, want ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := 0; i < len(want); i += 2 {
		if got := f.facts[want[i]]; got != want[i+1] {
			t.Errorf("%s has the facts %q, want %q", want[i], got, want[i+1])
		}
	}
	if n := len(f.facts); n != len(want)/2 {
		t.Errorf("%d files have facts: %v", n, f.facts)
	}
}

// factualRig is a rig whose far side has the files a, b and c, which others have made.
func factualRig(t *testing.T, c writeback.Options, room cache.Options) (*rig, *factual) {
	t.Helper()
	var far *factual
	b := newRigAt(t, c, &rig{disk: disktest.New(), room: room, far: func(m *memory.Remote) remote.Remote {
		far = &factual{Remote: m, m: m, facts: map[string]string{}}
		return far
	}})
	for _, name := range []string{"a", "b", "c"} {
		b.has(name, name)
		far.say(name, name)
	}
	return b, far
}

func TestWhatIsContinuedKeepsItsFacts(t *testing.T) {
	for what, c := range map[string]struct {
		do      func(b *rig)
		want    []string
		minimal []string // in that mode; nil = want
	}{
		"a file":                 {do: func(b *rig) { b.send("a", "x", AtEnd) }, want: []string{"a", "a", "b", "b", "c", "c"}},
		"from an offset":         {do: func(b *rig) { b.send("a", "x", 1) }, want: []string{"a", "a", "b", "b", "c", "c"}},
		"a new one in its place": {do: func(b *rig) { b.upload("a", "x") }, want: []string{"a", "new", "b", "b", "c", "c"}},
		"a new one":              {do: func(b *rig) { b.upload("d", "x"); b.send("d", "y", AtEnd) }, want: []string{"a", "a", "b", "b", "c", "c", "d", "new"}},
		"twice":                  {do: func(b *rig) { b.send("a", "x", AtEnd); b.send("a", "y", AtEnd) }, want: []string{"a", "a", "b", "b", "c", "c"}},
		"with a time": {do: func(b *rig) { b.send("a", "x", AtEnd); b.ok(b.SetModTime(b.t.Context(), "a", time.Unix(1e9, 0))) },
			want: []string{"a", "a", "b", "b", "c", "c"}},
		"what was replaced while it waited": {do: func(b *rig) { b.upload("a", "x"); b.send("a", "y", AtEnd) },
			want: []string{"a", "new", "b", "b", "c", "c"}},
		"what was deleted": {do: func(b *rig) { b.send("a", "x", AtEnd); b.ok(b.Remove(b.t.Context(), "a")); b.upload("a", "z") },
			want: []string{"a", "new", "b", "b", "c", "c"}},
		"and renames it": {do: func(b *rig) { b.send("a", "x", AtEnd); b.ok(b.Rename(b.t.Context(), "a", "d")) },
			want: []string{"d", "a", "b", "b", "c", "c"}},
		"and renames it over another": {do: func(b *rig) { b.send("a", "x", AtEnd); b.ok(b.Rename(b.t.Context(), "a", "b")) },
			want: []string{"b", "a", "c", "c"}},
		"and renames it back": {do: func(b *rig) {
			b.send("a", "x", AtEnd)
			b.ok(b.Rename(b.t.Context(), "a", "d"))
			b.ok(b.Rename(b.t.Context(), "d", "a"))
		}, want: []string{"a", "a", "b", "b", "c", "c"}},
		"renames it and goes on": {do: func(b *rig) {
			b.send("a", "x", AtEnd)
			b.ok(b.Rename(b.t.Context(), "a", "d"))
			b.send("d", "y", AtEnd)
			b.ok(b.SetModTime(b.t.Context(), "d", time.Unix(1e9, 0)))
		}, want: []string{"d", "a", "b", "b", "c", "c"}},
		"and the old name is taken": {do: func(b *rig) {
			b.send("a", "x", AtEnd)
			b.ok(b.Rename(b.t.Context(), "a", "d"))
			b.upload("a", "z")
		}, want: []string{"a", "new", "d", "a", "b", "b", "c", "c"}},
		"never those of a third file": {do: func(b *rig) {
			b.send("a", "x", AtEnd)
			b.ok(b.Rename(b.t.Context(), "a", "d"))
			b.upload("a", "z")
			b.ok(b.Rename(b.t.Context(), "d", "e")) // whose content may come after the new a
		}, want: []string{"a", "new", "e", "new", "b", "b", "c", "c"}, minimal: []string{"a", "new", "e", "a", "b", "b", "c", "c"}},
		"what was cut": {do: func(b *rig) {
			b.cut("a", "xy", AtEnd)
			b.send("a", "z", 3)
		}, want: []string{"a", "a", "b", "b", "c", "c"}},
		"what was cut in another process": {do: func(b *rig) {
			b.cut("a", "xy", AtEnd)
			b.restart()
			b.send("a", "z", 3)
		}, want: []string{"a", "a", "b", "b", "c", "c"}},
		"a new file that was cut": {do: func(b *rig) {
			b.cut("d", "xy", 0)
			b.send("d", "z", 2)
		}, want: []string{"a", "a", "b", "b", "c", "c", "d", "new"}},
		"what fails at first": {do: func(b *rig) {
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: 1, Err: errNetwork})
			b.send("a", "x", AtEnd)
		}, want: []string{"a", "a", "b", "b", "c", "c"}},
	} {
		modes := []writeback.Mode{writeback.Minimal, writeback.Writes, writeback.Full}
		if strings.Contains(what, "cut") { // mode minimal keeps no uploads that are cut
			modes = modes[1:]
		}
		for _, mode := range modes {
			for _, restart := range []bool{false, true} {
				t.Run(what, func(t *testing.T) {
					b, far := factualRig(t, writeback.Options{Mode: mode, WriteBack: time.Hour}, cache.Options{})
					c.do(b)
					if restart {
						b.restart()
					}
					b.flush()
					want := c.want
					if mode == writeback.Minimal && c.minimal != nil {
						want = c.minimal
					}
					far.want(t, want...)
				})
			}
		}
	}
}

// What is sent while its client waits takes the same way.
func TestWhatIsContinuedAtOnceKeepsItsFacts(t *testing.T) {
	for what, c := range map[string]struct {
		cache writeback.Options
		room  int64
		size  int
	}{
		"acknowledged by the remote":   {writeback.Options{Mode: writeback.Writes, Ack: writeback.AckRemote}, 0, 10},
		"more than the cache can hold": {writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour}, 4 << 20, 6 << 20},
	} {
		t.Run(what, func(t *testing.T) {
			b, far := factualRig(t, c.cache, cache.Options{MaxSize: c.room})
			b.send("a", string(make([]byte, c.size)), AtEnd)
			far.want(t, "a", "a", "b", "b", "c", "c")
			b.send("b", string(make([]byte, c.size)), 0)
			far.want(t, "a", "a", "b", "new", "c", "c")
		})
	}
}

// A process that was killed after the file was sent and its former name was removed sends it again,
// and does not make it a new one.
func TestWhatWasSentBeforeAKillKeepsItsFacts(t *testing.T) {
	b, far := factualRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour}, cache.Options{})
	b.send("a", "x", AtEnd)
	b.ok(b.Rename(t.Context(), "a", "d"))
	e, err := b.Stat(t.Context(), "d")
	b.ok(err)
	b.stop()
	_, err = far.Put(t.Context(), "d", strings.NewReader("ax"), remote.PutOptions{ModTime: e.ModTime(), FactsOf: "a"})
	b.ok(err)
	b.ok(far.Remove(t.Context(), "a"))
	b.wrote.take()
	b.start()
	b.flush()
	b.wantCalls("put d", "remove a")
	far.want(t, "d", "a", "b", "b", "c", "c")
}

// cut begins an upload that is aborted.
func (b *rig) cut(name, content string, off int64) {
	b.t.Helper()
	u, err := b.Create(b.t.Context(), name, off)
	b.ok(err)
	_, err = io.WriteString(u, content)
	u.Abort()
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		b.t.Fatal(err)
	}
}
