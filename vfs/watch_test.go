package vfs

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

// watched is behind, with changes on the far side watched until the test ends.
func watched(t *testing.T, implicit bool) *behind {
	t.Helper()
	b := newBehind(t, Options{})
	b.remote = faulty.New(far{Forward: remote.Forward{Remote: b.store}, implicit: implicit})
	b.fs = New(b.remote, Options{DirCacheTime: 5 * time.Minute, PollInterval: time.Minute})
	t.Cleanup(func() { b.fs.Close() })
	b.View = b.fs.View("bob")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.fs.Watch(ctx, func() {}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
	synctest.Wait()
	return b
}

func (b *behind) mkdir(dir string) {
	b.t.Helper()
	if err := b.store.Mkdir(b.t.Context(), dir); err != nil {
		b.t.Fatal(err)
	}
}

func (b *behind) exists(name string, want bool) {
	b.t.Helper()
	if _, err := b.Stat(b.t.Context(), name); (err == nil) != want {
		b.t.Errorf("Stat(%q): %v", name, err)
	}
}

func TestWhatChangesOnTheFarSideShowsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := watched(t, false)
		b.mkdir("d")
		b.put("a")
		synctest.Wait()
		b.shows(".", "a d")
		b.shows("d", "")
		b.exists("d/f", false)

		b.put("d/f")
		synctest.Wait()
		b.exists("d/f", true)
		b.shows("d", "f")
		if n := b.asked(faulty.List, func() { b.shows(".", "a d") }); n != 0 {
			t.Error("a directory in which nothing has changed was listed again")
		}
		if err := b.store.Move(t.Context(), "d", "e"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.shows(".", "a e")
		b.shows("e", "f")
		b.exists("d/f", false)
		if err := errors.Join(b.store.Remove(t.Context(), "e/f"), b.store.Rmdir(t.Context(), "e")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.exists("e/f", false)
		b.shows(".", "a")
	})
}

func TestWhatFerryChangesItselfIsNotLookedAtAgain(t *testing.T) {
	b := newBehind(t, fiveMinutes)
	b.put("old")
	b.shows(".", "old")
	n := b.asked(faulty.List, func() {
		b.upload("new")
		e, err := b.store.Stat(t.Context(), "new")
		if err = errors.Join(err, b.Mkdir(t.Context(), "d"), b.Remove(t.Context(), "old")); err != nil {
			t.Fatal(err)
		}
		for _, c := range []remote.Change{{Name: "new", Version: e.Version}, {Name: "d", Dir: true}, {Name: "old", Removed: true}} {
			b.fs.names.ApplyRemoteChange(c)
		}
		b.shows(".", "d new")
	})
	if n != 0 {
		t.Errorf("the directory was listed %d times", n)
	}
	b.fs.names.ApplyRemoteChange(remote.Change{Name: "new", Version: "another"})
	if n := b.asked(faulty.List, func() { b.shows(".", "d new") }); n != 1 {
		t.Errorf("after a change by somebody else the directory was listed %d times", n)
	}
}

func TestDirectoriesThatComeAndGoWithTheirFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := watched(t, true)
		b.shows(".", "")
		b.mkdir("d")
		b.mkdir("d/e")
		b.changed(remote.Change{Name: "d/e/f"}) // that is all a flat store tells
		b.shows(".", "d")
		b.shows("d", "e")
		b.exists("d/e", true)

		b.put("d/other")
		synctest.Wait()
		b.shows("d", "e other")
		b.shows(".", "d")
		if err := b.store.Rmdir(t.Context(), "d/e"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.shows("d", "other")
		b.changed(remote.Change{Name: "d/e/f", Removed: true})
		b.exists("d/e", false)
		b.shows("d", "other")
		if n := b.asked(faulty.List, func() { b.shows(".", "d") }); n != 0 {
			t.Error("the root was listed again, though d still holds something")
		}
	})
}

// changed tells of a change, whatever memory has told.
func (b *behind) changed(c remote.Change) {
	synctest.Wait()
	b.fs.names.ApplyRemoteChange(c)
}

// flaky is a remote whose watches tell and fail as they are told to.
type flaky struct {
	remote.Remote
	watches chan func(tell func(remote.Change)) error // each is what a watch does
	begun   []time.Duration                           // when the watches began, from the first one on
	first   time.Time
}

func (f *flaky) Watch(ctx context.Context, _ time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		if f.first.IsZero() {
			f.first = time.Now()
		}
		f.begun = append(f.begun, time.Since(f.first))
		select {
		case do := <-f.watches:
			yield(remote.Change{}, do(func(c remote.Change) { yield(c, nil) }))
		case <-ctx.Done():
			yield(remote.Change{}, context.Cause(ctx))
		}
	}
}

func (f *flaky) Info() remote.Info { return remote.Info{Name: "flaky:"} }

func newFlaky() (*flaky, *memory.Remote) {
	store := memory.New()
	return &flaky{Remote: store, watches: make(chan func(tell func(remote.Change)) error)}, store
}

func TestAWatchThatEndsIsBegunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newFlaky()
		var log bytes.Buffer
		tree := New(r, Options{DirCacheTime: time.Hour, PollInterval: 4 * time.Second, Log: slog.New(slog.NewTextHandler(&log, nil))})
		defer tree.Close()
		b := &behind{View: tree.View("bob"), t: t, store: store}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- tree.Watch(ctx, func() {}) }()

		lost := errors.New("connection lost")
		b.shows(".", "")
		r.watches <- func(tell func(remote.Change)) error { tell(remote.Everything()); return lost }
		synctest.Wait()
		b.shows(".", "")
		b.put("a") // while nobody watches
		for range 4 {
			r.watches <- func(func(remote.Change)) error { return lost }
		}
		b.shows(".", "")
		r.watches <- func(tell func(remote.Change)) error { tell(remote.Everything()); return lost }
		synctest.Wait()
		b.shows(".", "a")
		if n := strings.Count(log.String(), "level=WARN"); n != 2 || !strings.Contains(log.String(), lost.Error()) {
			t.Errorf("%d warnings for two outages:\n%s", n, log.String())
		}
		time.Sleep(time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for i, want := range []time.Duration{0, 1, 3, 7, 11, 15, 16} {
			if i >= len(r.begun) || r.begun[i] != want*time.Second {
				t.Fatalf("watches began after %v", r.begun)
			}
		}
	})
}

func TestAWatchSettlesWhenEverythingIsForgotten(t *testing.T) {
	lost := errors.New("connection lost")
	for name, first := range map[string]func(tell func(remote.Change)) error{
		"it begins":        func(tell func(remote.Change)) error { tell(remote.Everything()); return lost },
		"it fails":         func(func(remote.Change)) error { return lost },
		"nothing is told":  func(func(remote.Change)) error { return remote.ErrUnsupported },
		"it is turned off": nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			r, store := newFlaky()
			tree := New(r, Options{DirCacheTime: time.Hour, PollInterval: time.Minute})
			defer tree.Close()
			b := &behind{View: tree.View("bob"), t: t, store: store}
			b.shows(".", "")
			settled := 0
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- tree.Watch(ctx, func() { settled++; b.shows(".", "") }) }()
			synctest.Wait()
			if settled != 0 {
				t.Errorf("%s: it is settled before anything is known", name)
			}
			if first == nil {
				if err := tree.SetPollInterval(0); err != nil {
					t.Error(err)
				}
			} else {
				r.watches <- first
			}
			synctest.Wait()
			if settled != 1 || tree.Stats().Dirs != 1 {
				t.Errorf("%s: settled %d times, %d listings are left", name, settled, tree.Stats().Dirs)
			}
			cancel()
			if err := <-done; err != nil && !errors.Is(err, remote.ErrUnsupported) {
				t.Error(err)
			}
			if settled != 1 {
				t.Errorf("%s: settled %d times", name, settled)
			}
		})
	}
}

func TestTheIntervalCanBeChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := watched(t, false)
		set := func(d time.Duration) {
			if err := b.fs.SetPollInterval(d); err != nil {
				t.Error(err)
			}
			if got, err := b.fs.PollInterval(); got != d || err != nil {
				t.Errorf("%v, %v", got, err)
			}
			synctest.Wait()
		}
		b.shows(".", "")
		set(0)
		b.put("a")
		synctest.Wait()
		b.shows(".", "")
		set(time.Second)
		b.shows(".", "a")
		b.put("b")
		synctest.Wait()
		b.shows(".", "a b")
	})
}

func TestARemoteThatTellsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unsupported := func(tree *FS) {
			t.Helper()
			if err := tree.Watch(t.Context(), func() {}); !errors.Is(err, remote.ErrUnsupported) {
				t.Errorf("Watch: %v", err)
			}
			if _, err := tree.PollInterval(); !errors.Is(err, remote.ErrUnsupported) {
				t.Errorf("PollInterval: %v", err)
			}
			if err := tree.SetPollInterval(time.Second); !errors.Is(err, remote.ErrUnsupported) {
				t.Errorf("SetPollInterval: %v", err)
			}
		}
		o := Options{DirCacheTime: time.Hour, PollInterval: time.Minute}
		tree := New(struct{ remote.Remote }{far{Forward: remote.Forward{Remote: memory.New()}}}, o)
		defer tree.Close()
		unsupported(tree)
		r, _ := newFlaky() // which says so when it is asked
		tree = New(r, o)
		defer tree.Close()
		if _, err := tree.PollInterval(); err != nil {
			t.Errorf("PollInterval before it is known: %v", err)
		}
		go func() { r.watches <- func(func(remote.Change)) error { return remote.ErrUnsupported } }()
		unsupported(tree)
	})
}

func TestALiveRemoteNeedsNoWatch(t *testing.T) {
	tree := New(memory.New(), Options{DirCacheTime: time.Hour, PollInterval: time.Minute})
	defer tree.Close()
	if err := tree.Watch(t.Context(), func() {}); err != nil {
		t.Error(err)
	}
	if _, err := tree.PollInterval(); !errors.Is(err, remote.ErrUnsupported) {
		t.Error(err)
	}
}
