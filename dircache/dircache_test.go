package dircache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/breaker"
	"ferry/remote"
	"ferry/remote/driver/memory"
)

var fiveMinutes = Options{Time: 5 * time.Minute}

func TestAListingThatNobodyReadsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, c := newTree(fiveMinutes)
		for i := range 5000 {
			put(t, store, fmt.Sprintf("f%04d", i))
		}
		for range c.List(t.Context(), ".") {
			break
		}
		c.Close() // waits for it
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.flying) != 0 {
			t.Error("it is still under way")
		}
	})
}

func TestADirectoryLargerThanTheCacheStreams(t *testing.T) {
	o := fiveMinutes
	o.Entries = 100
	store, c := newTree(o)
	defer c.Close()
	const files = 20_000
	for i := range files {
		put(t, store, fmt.Sprintf("f%05d", i))
	}
	seen := map[string]bool{}
	most := 0
	for e, err := range c.List(t.Context(), ".") {
		if err != nil {
			t.Fatal(err)
		}
		seen[e.Name] = true
		if len(seen)%500 == 0 {
			most = max(most, heldByFlights(c))
		}
	}
	if len(seen) != files {
		t.Errorf("%d of %d entries", len(seen), files)
	}
	if most == 0 || most > 2*flightWindow {
		t.Errorf("it held %d entries", most)
	}
	if s := c.Stats(); s.Files != 0 {
		t.Errorf("it is remembered: %+v", s)
	}
}

func heldByFlights(c *Tree) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for f := range c.flying {
		f.mu.Lock()
		n += len(f.entries)
		f.mu.Unlock()
	}
	return n
}

func TestAFileOnAnObjectStoreBringsItsDirectories(t *testing.T) {
	store := memory.New()
	r := far{Forward: remote.Forward{Remote: store}, implicit: true}
	c := New(r, breaker.New(breaker.Options{}), fiveMinutes)
	names := func(dir string) (all []string) {
		for e, err := range c.List(t.Context(), dir) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, e.Name)
		}
		return all
	}
	if got := names("."); got != nil {
		t.Fatalf("got %q", got)
	}
	store.Mkdir(t.Context(), "a") // as a Put of a/f would on an object store
	c.Stored("a/f", remote.Entry{Size: 1})
	if got := names("."); len(got) != 1 || got[0] != "a" {
		t.Errorf("got %q", got)
	}
	store.Rmdir(t.Context(), "a")
	c.removed("a/f")
	if got := names("."); got != nil {
		t.Errorf("got %q", got)
	}
	c.Close()
}

func TestADirectoryMayGoWithItsLastFile(t *testing.T) {
	c := New(far{Forward: remote.Forward{Remote: memory.New()}, implicit: true}, breaker.New(breaker.Options{}), fiveMinutes)
	list := func(dir string, names ...string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		var entries []remote.Entry
		for _, name := range names {
			entries = append(entries, remote.Entry{Name: name})
		}
		c.store(dir, entries, time.Now())
	}
	for _, test := range []struct {
		dirs  map[string]string // what is remembered
		gone  string
		still string // what is remembered then
	}{
		{map[string]string{".": "a", "a": "b", "a/b": "f"}, "a/b/f", ""},
		{map[string]string{".": "a", "a": "b c", "a/b": "f"}, "a/b/f", "."},
		{map[string]string{".": "a", "a": "b", "a/b": "f g"}, "a/b/f", ". a"},
		{map[string]string{".": "a", "a": "b c"}, "a/b/f", "."},
		{map[string]string{".": "a b", "c": "f"}, "x/y/f", "c"},
		{map[string]string{".": "f"}, "f", ""},
	} {
		c.Forget()
		for dir, names := range test.dirs {
			list(dir, strings.Fields(names)...)
		}
		c.ApplyRemoteChange(remote.Change{Name: test.gone, Removed: true})
		for dir := range test.dirs {
			want := false
			for _, still := range strings.Fields(test.still) {
				want = want || still == dir
			}
			if _, fresh := c.listed(dir); fresh != want {
				t.Errorf("%s of %v: %q is remembered: %v", test.gone, test.dirs, dir, fresh)
			}
		}
	}
}

// newTree returns a remote in memory and a Tree over it.
func newTree(o Options) (*memory.Remote, *Tree) {
	store := memory.New()
	return store, New(far{Forward: remote.Forward{Remote: store}}, breaker.New(breaker.Options{}), o)
}

func put(t *testing.T, r remote.Remote, name string) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, strings.NewReader(name), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

// far is a remote that is slower than a cache.
type far struct {
	remote.Forward
	implicit bool
}

func (f far) Info() remote.Info {
	info := f.Forward.Info()
	info.Caps.CheapStat, info.Caps.ImplicitDirs = false, f.implicit
	return info
}

// sizes is a remote whose Stat does not check whether a directory hides a file if only its size is
// needed.
type sizes struct {
	remote.Forward
	stats int
}

func (r *sizes) Stat(ctx context.Context, name string) (remote.Entry, error) {
	r.stats++
	if size := remote.SizeOnlyOf(ctx); size != nil {
		size.Use()
		return r.Forward.Stat(ctx, name)
	}
	return remote.Entry{Name: name, Dir: true}, nil
}

func TestASizeIsNotRememberedAsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		put(t, store, "f")
		r := &sizes{Forward: remote.Forward{Remote: far{Forward: remote.Forward{Remote: store}}}}
		c := New(r, breaker.New(breaker.Options{}), fiveMinutes)
		defer c.Close()
		size := remote.WithSizeOnly(t.Context())
		for i, ask := range []struct {
			ctx   context.Context
			dir   bool
			stats int // number of Stats of the remote by then
		}{
			{size, false, 1},
			{size, false, 1},
			{t.Context(), true, 2},
			{size, true, 2},
			{t.Context(), true, 2},
		} {
			if e, err := c.Stat(ask.ctx, "f"); err != nil || e.Dir != ask.dir || r.stats != ask.stats {
				t.Errorf("call %d: %+v, %v, %d asked of the remote", i, e, err, r.stats)
			}
		}
	})
}

// A server that is stopped while it starts begins to watch under a context that has ended.
func TestFollowEndsWithAContextThatHasEnded(t *testing.T) {
	_, c := newTree(fiveMinutes)
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ready := false
	if err := c.Follow(ctx, func() { ready = true }); err != nil || !ready {
		t.Errorf("%v, settled: %v", err, ready)
	}
}

// unlisted is an object store that describes the file that it cannot list.
type unlisted struct {
	far
	stats *int
}

func (u unlisted) Stat(ctx context.Context, name string) (remote.Entry, error) {
	*u.stats++
	return u.far.Stat(ctx, name)
}

func (u unlisted) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		e, err := u.far.Stat(ctx, dir)
		if err == nil {
			err = &fs.PathError{Op: "list", Path: dir, Err: &remote.FileError{Entry: e}}
		}
		yield(remote.Entry{}, err)
	}
}

// A client that lists a name without looking at it before pays for one of the two.
func TestAListingOfWhatIsNoDirectoryIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, implicit := range []bool{true, false} {
			store, stats := memory.New(), 0
			put(t, store, "f")
			c := New(unlisted{far{remote.Forward{Remote: store}, implicit}, &stats}, breaker.New(breaker.Options{}), fiveMinutes)
			list := func(name string) (err error) {
				for _, err = range c.List(t.Context(), name) {
				}
				return err
			}
			asks := func(name string, want int, is error) {
				t.Helper()
				before := stats
				e, err := c.Stat(t.Context(), name)
				if !errors.Is(err, is) || err == nil && (e.Name != name || e.Size != int64(len(name))) {
					t.Errorf("%s: %+v, %v", name, e, err)
				}
				if stats-before != want {
					t.Errorf("%s: %d asked, want %d", name, stats-before, want)
				}
			}
			missing := 1
			if implicit {
				missing = 0 // listing costs as much there
			}
			if err := list("f"); !errors.Is(err, remote.ErrNotDir) {
				t.Errorf("%v", err)
			}
			asks("f", 0, nil)
			if err := list("none"); !errors.Is(err, remote.ErrNotExist) {
				t.Errorf("%v", err)
			}
			asks("none", missing, remote.ErrNotExist)
			list("other")
			put(t, c, "other")
			asks("other", 1, nil)
			time.Sleep(3 * time.Second)
			asks("none", 1, remote.ErrNotExist)
			c.Close()
		}
	})
}

// partial is a remote of which a part does not answer: of that nothing is listed and nothing known.
type partial struct{ far }

var errAway = errors.New("a part is away")

func (p partial) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	remote.Incomplete(ctx)
	return p.far.List(ctx, dir)
}

func (p partial) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := p.far.Stat(ctx, name)
	if err != nil {
		err = &fs.PathError{Op: "stat", Path: name, Err: errAway}
	}
	return e, err
}

// What an incomplete listing lacks may exist.
func TestAnIncompleteListingIsNotRemembered(t *testing.T) {
	store := memory.New()
	put(t, store, "f")
	c := New(partial{far{Forward: remote.Forward{Remote: store}}}, breaker.New(breaker.Options{}), fiveMinutes)
	defer c.Close()
	for range 2 {
		n := 0
		for e, err := range c.List(t.Context(), ".") {
			if err != nil || e.Name != "f" {
				t.Errorf("%+v, %v", e, err)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%d entries", n)
		}
		if _, err := c.Stat(t.Context(), "g"); !errors.Is(err, errAway) {
			t.Errorf("a name that is not in it: %v", err)
		}
	}
}
