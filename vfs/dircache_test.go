package vfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

// far is a remote that is not as quick as a cache.
type far struct {
	remote.Forward
	implicit bool
}

func (f far) Info() remote.Info {
	i := f.Forward.Info()
	i.Caps.CheapStat = false
	i.Caps.ImplicitDirs = f.implicit
	return i
}

// behind is a tree over a memory remote whose calls are counted, and that remote, to be changed
// behind ferry's back.
type behind struct {
	*View
	t      *testing.T
	fs     *FS
	store  *memory.Remote
	remote *faulty.Remote
}

func newBehind(t *testing.T, o Options) *behind {
	t.Helper()
	store := memory.New()
	r := faulty.New(far{Forward: remote.Forward{Remote: store}})
	tree := New(r, o)
	t.Cleanup(func() { tree.Close() })
	return &behind{View: tree.View("bob"), t: t, fs: tree, store: store, remote: r}
}

func (b *behind) put(name string) {
	b.t.Helper()
	if _, err := b.store.Put(context.Background(), name, strings.NewReader(name), remote.PutOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

// names lists dir through ferry.
func (b *behind) names(dir string) string {
	b.t.Helper()
	var names []string
	for fi, err := range b.List(context.Background(), dir) {
		if err != nil {
			b.t.Errorf("List(%q): %v", dir, err)
			break
		}
		names = append(names, fi.Name())
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func (b *behind) shows(dir, want string) {
	b.t.Helper()
	if got := b.names(dir); got != want {
		b.t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func (b *behind) upload(name string) {
	b.t.Helper()
	u, err := b.Create(context.Background(), name, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := u.Commit(context.Background()); err != nil {
		b.t.Fatal(err)
	}
}

// asked runs do and returns how often the remote was asked for it.
func (b *behind) asked(op faulty.Op, do func()) int {
	before := b.remote.Calls(op)
	do()
	return b.remote.Calls(op) - before
}

var fiveMinutes = Options{DirCacheTime: 5 * time.Minute}

func TestDirCacheTimeSetsHowLongADirectoryIsConsideredUpToDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, fiveMinutes)
		b.put("a")
		b.shows(".", "a")
		b.put("b")
		time.Sleep(5*time.Minute - time.Second)
		if n := b.asked(faulty.List, func() { b.shows(".", "a") }); n != 0 {
			t.Errorf("a directory that is up to date was refreshed %d times", n)
		}
		time.Sleep(time.Second)
		b.shows(".", "a b")
	})
}

func TestChangesDoneOnTheRemoteAreOnlyPickedUpOnceTheCacheExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, fiveMinutes)
		b.put("a")
		b.shows(".", "a")
		if err := b.store.Remove(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Stat(t.Context(), "a"); err != nil {
			t.Errorf("Stat within the time: %v", err)
		}
		time.Sleep(5 * time.Minute)
		if _, err := b.Stat(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat after the time: %v", err)
		}
		b.shows(".", "")
	})
}

func TestChangesMadeLocallyAppearImmediately(t *testing.T) {
	ctx := context.Background()
	b := newBehind(t, fiveMinutes)
	b.put("old")
	b.shows(".", "old")
	b.upload("new")
	b.shows(".", "new old")
	if err := b.Mkdir(ctx, "dir"); err != nil {
		t.Fatal(err)
	}
	b.shows("dir", "")
	b.upload("dir/f")
	b.shows("dir", "f")
	b.shows(".", "dir new old")
	if err := b.Rename(ctx, "dir/f", "moved"); err != nil {
		t.Fatal(err)
	}
	b.shows("dir", "")
	b.shows(".", "dir moved new old")
	if err := b.Remove(ctx, "old"); err != nil {
		t.Fatal(err)
	}
	if err := b.Rmdir(ctx, "dir"); err != nil {
		t.Fatal(err)
	}
	b.shows(".", "moved new")
	if _, err := b.Stat(ctx, "old"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat of what was removed: %v", err)
	}
	if n := b.asked(faulty.List, func() { b.shows(".", "moved new") }); n != 0 {
		t.Errorf("ferry's own changes cost %d listings", n)
	}
	// The cache says what the remote says.
	b.fs.Forget()
	b.shows(".", "moved new")
}

func TestADirectoryThatIsRenamedTakesItsListingsAlong(t *testing.T) {
	ctx := context.Background()
	b := newBehind(t, fiveMinutes)
	for _, dir := range []string{"a", "a/sub"} {
		if err := b.Mkdir(ctx, dir); err != nil {
			t.Fatal(err)
		}
	}
	b.upload("a/sub/f")
	b.shows("a/sub", "f")
	if err := b.Rename(ctx, "a", "b"); err != nil {
		t.Fatal(err)
	}
	b.shows("b/sub", "f")
	b.shows(".", "b")
	for range b.List(ctx, "a/sub") {
	}
	if _, err := b.Stat(ctx, "a/sub/f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat below the old name: %v", err)
	}
}

func TestAStatAsksForThatNameOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, fiveMinutes)
		b.put("a")
		stat := func() {
			if _, err := b.Stat(t.Context(), "a"); err != nil {
				t.Error(err)
			}
		}
		if n := b.asked(faulty.List, stat); n != 0 {
			t.Errorf("it cost %d listings", n)
		}
		if n := b.asked(faulty.Stat, stat); n != 0 {
			t.Errorf("the second one asked %d times", n)
		}
		b.shows(".", "a")
		missing := func() {
			if _, err := b.Stat(t.Context(), "none"); !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		}
		if n := b.asked(faulty.Stat, missing); n != 0 {
			t.Errorf("what is not in a fresh listing was asked for %d times", n)
		}
	})
}

func TestNotFoundIsRememberedBriefly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, fiveMinutes)
		missing := func() { b.Stat(t.Context(), "a") }
		if n := b.asked(faulty.Stat, missing); n != 1 {
			t.Errorf("asked %d times", n)
		}
		if n := b.asked(faulty.Stat, missing); n != 0 {
			t.Errorf("asked %d times again", n)
		}
		b.put("a")
		time.Sleep(2 * time.Second)
		if _, err := b.Stat(t.Context(), "a"); err != nil {
			t.Error(err)
		}
	})
}

func TestAnUnreachableRemoteIsNotAnEmptyOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, fiveMinutes)
		b.put("a")
		b.shows(".", "a")
		time.Sleep(time.Hour)
		down := errors.New("no route to host")
		b.remote.Inject(faulty.Fault{Op: faulty.List, Err: down, Times: -1})
		b.remote.Inject(faulty.Fault{Op: faulty.Stat, Err: down, Times: -1})
		b.shows(".", "a")
		if _, err := b.Stat(t.Context(), "a"); err != nil {
			t.Errorf("Stat: %v", err)
		}
		if _, err := b.Stat(t.Context(), "b"); !errors.Is(err, down) {
			t.Errorf("Stat of what nobody knows: %v", err)
		}
		b.remote.Heal()
		b.store.Remove(t.Context(), "a")
		time.Sleep(10 * time.Second)
		b.shows(".", "")
	})
}

func TestOneListingServesAllWhoAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, fiveMinutes)
		for i := range 10 {
			b.put(fmt.Sprintf("f%d", i))
		}
		b.remote.Inject(faulty.Fault{Op: faulty.List, Delay: time.Second, Slow: true, Times: -1})
		n := b.asked(faulty.List, func() {
			done := make(chan string)
			for range 20 {
				go func() { done <- b.names(".") }()
			}
			for range 20 {
				if got := <-done; got != "f0 f1 f2 f3 f4 f5 f6 f7 f8 f9" {
					t.Errorf("got %q", got)
				}
			}
		})
		if n != 1 {
			t.Errorf("%d listings for 20 who asked", n)
		}
	})
}

func TestAnOldListingIsShownWhileTheRefreshTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := fiveMinutes
		o.DirRefreshWait = 100 * time.Millisecond
		b := newBehind(t, o)
		b.put("a")
		b.shows(".", "a")
		b.put("b")
		time.Sleep(time.Hour)
		b.remote.Inject(faulty.Fault{Op: faulty.List, Delay: time.Second, Slow: true, Times: -1})
		start := time.Now()
		b.shows(".", "a")
		if took := time.Since(start); took != 100*time.Millisecond {
			t.Errorf("the old listing came after %v", took)
		}
		time.Sleep(time.Second)
		start = time.Now()
		b.shows(".", "a b")
		if took := time.Since(start); took != 0 {
			t.Errorf("the new listing took %v", took)
		}
	})
}

func TestTheDirectoriesUsedLeastMakeRoom(t *testing.T) {
	o := fiveMinutes
	o.DirCacheEntries = 35
	b := newBehind(t, o)
	for _, dir := range []string{"a", "b", "c", "d"} {
		if err := b.store.Mkdir(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			b.put(fmt.Sprintf("%s/%d", dir, i))
		}
	}
	for _, dir := range []string{"a", "b", "c", "a", "d"} {
		b.names(dir)
	}
	for dir, want := range map[string]int{"a": 0, "c": 0, "d": 0} {
		if n := b.asked(faulty.List, func() { b.names(dir) }); n != want {
			t.Errorf("%s: %d listings, want %d", dir, n, want)
		}
	}
	if n := b.asked(faulty.List, func() { b.names("b") }); n != 1 {
		t.Error("b was not dropped")
	}
}

func TestForget(t *testing.T) {
	b := newBehind(t, fiveMinutes)
	for _, dir := range []string{"d", "e", "d/sub"} {
		if err := b.store.Mkdir(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	list := func() { b.names("."); b.names("d"); b.names("e"); b.names("d/sub") }
	list()
	if n := b.asked(faulty.List, list); n != 0 {
		t.Errorf("%d listings", n)
	}
	b.fs.Forget("d")
	if n := b.asked(faulty.List, list); n != 3 { // the root, d and d/sub
		t.Errorf("after Forget(d): %d listings", n)
	}
	b.fs.Forget("e/file")
	if n := b.asked(faulty.List, list); n != 1 {
		t.Errorf("after Forget(e/file): %d listings", n)
	}
	b.fs.Forget()
	if n := b.asked(faulty.List, list); n != 4 {
		t.Errorf("after Forget: %d listings", n)
	}
	b.put("d/sub/behind")
	if err := b.fs.Refresh(t.Context(), ".", true); err != nil {
		t.Fatal(err)
	}
	b.shows("d/sub", "behind")
}

func TestAListingThatOverlapsAChangeIsNotRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, fiveMinutes)
		for i := range 3 {
			b.put(fmt.Sprintf("f%d", i))
		}
		for fi, err := range b.List(t.Context(), ".") {
			if err != nil {
				t.Fatal(err)
			}
			if fi.Name() == "f0" {
				b.upload("new")
			}
		}
		synctest.Wait()
		b.shows(".", "f0 f1 f2 new")
	})
}
