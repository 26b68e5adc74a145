package vfs

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"ferry/dircache"
	"ferry/remote/wrap/faulty"
)

// wide fills a tree with n directories of two files.
func (b *behind) wide(n int) {
	b.t.Helper()
	for i := range n {
		dir := fmt.Sprint("dir", i)
		if err := b.store.Mkdir(context.Background(), dir); err != nil {
			b.t.Fatal(err)
		}
		b.put(dir + "/a")
		b.put(dir + "/b")
	}
}

func TestAWarmTreeIsRemembered(t *testing.T) {
	b := newBehind(t, fiveMinutes)
	b.wide(5)
	if err := b.store.Mkdir(t.Context(), "dir0/sub"); err != nil {
		t.Fatal(err)
	}
	b.put("dir0/sub/c")
	steps := 0
	got, err := b.fs.Warm(t.Context(), 3, func(dircache.Warmed) { steps++ })
	if want := (dircache.Warmed{Dirs: 7, Files: 11}); err != nil || got != want || steps != want.Dirs {
		t.Errorf("got %+v in %d steps, %v; want %+v", got, steps, err, want)
	}
	if n := b.asked(faulty.List, func() { b.shows("dir0/sub", "c"); b.shows("dir4", "a b") }); n != 0 {
		t.Errorf("listings cost %d calls", n)
	}
	if n := b.asked(faulty.Stat, func() { _, err = b.Stat(t.Context(), "dir3/a") }); n != 0 || err != nil {
		t.Errorf("a Stat cost %d calls, %v", n, err)
	}
}

func TestDirectoriesAreWarmedSeveralAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, fiveMinutes)
		b.wide(32)
		b.remote.Inject(faulty.Fault{Op: faulty.List, Delay: 100 * time.Millisecond, Slow: true, Times: -1})
		begun := time.Now()
		if got, err := b.fs.Warm(t.Context(), 8, nil); err != nil || got.Dirs != 33 {
			t.Errorf("got %+v, %v", got, err)
		}
		if took := time.Since(begun); took != 500*time.Millisecond {
			t.Errorf("33 listings of 100 ms, 8 at a time, took %v", took)
		}
	})
}

func TestWarmingStopsWhereTheMemoryEnds(t *testing.T) {
	b := newBehind(t, Options{DirCacheTime: time.Minute, DirCacheEntries: 60})
	b.wide(30)
	got, err := b.fs.Warm(t.Context(), 1, nil)
	if err != nil || !got.Full || got.Dirs < 5 || got.Dirs > 20 {
		t.Errorf("got %+v, %v", got, err)
	}
	if n := b.asked(faulty.List, func() { b.names(".") }); n != 0 {
		t.Error("the root had to make room")
	}
}

func TestWarmingGoesOnWhenADirectoryFails(t *testing.T) {
	b := newBehind(t, fiveMinutes)
	b.wide(4)
	down := errors.New("down")
	b.remote.Inject(faulty.Fault{Op: faulty.List, Name: "dir2", Err: down})
	got, err := b.fs.Warm(t.Context(), 2, nil)
	if err != nil || got.Dirs != 4 || got.Failed != 1 || !errors.Is(got.Err, down) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWarmingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, fiveMinutes)
		b.wide(100)
		b.remote.Inject(faulty.Fault{Op: faulty.List, Delay: time.Second, Slow: true, Times: -1})
		ctx, cancel := context.WithTimeout(t.Context(), 5500*time.Millisecond)
		defer cancel()
		got, err := b.fs.Warm(ctx, 2, nil)
		if !errors.Is(err, context.DeadlineExceeded) || got.Failed != 0 || got.Dirs == 0 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}
