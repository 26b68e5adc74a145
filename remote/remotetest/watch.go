package remotetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"ferry/remote"
)

// RunWatch checks what Watcher promises, and nothing else, on remotes that Run has seen in another
// place. It is part of Run.
func RunWatch(t *testing.T, open func(t *testing.T) remote.Remote) {
	runAll(t, open, watchTests())
}

// watchTests hold for a Watcher whose far side tells of changes.
func watchTests() []test {
	return []test{
		{"the first change is one of everything", func(s *suite) {
			w := s.watch(s.ctx)
			if w == nil {
				return
			}
			defer w.stop()
			if w.first != remote.Everything() {
				s.Errorf("it is %+v", w.first)
			}
		}},
		{"every change is yielded once it has happened", watchYields},
		{"what was there before it began is not yielded one by one", func(s *suite) {
			s.mkdir("d")
			s.put("d/old", "x")
			w := s.watch(s.ctx)
			if w == nil {
				return
			}
			defer w.stop()
			s.put("d/new", "y")
			for {
				c := w.next(s)
				if c.Name == "d/old" {
					s.Errorf("%+v", c)
				}
				if tells(c, "d/new") {
					return
				}
			}
		}},
		{"Version is that of the file which is there now", func(s *suite) {
			w := s.watch(s.ctx)
			if w == nil {
				return
			}
			defer w.stop()
			s.put("f", "content")
			want := s.stat("f").Version
			for c := w.next(s); ; c = w.next(s) {
				if c.Name == "f" && c.Version != "" && c.Version != want {
					s.Errorf("%q, but Stat says %q", c.Version, want)
				}
				if tells(c, "f") {
					return
				}
			}
		}},
		{"it ends with an error: that of ctx", func(s *suite) {
			ctx, cancel := context.WithCancelCause(s.ctx)
			defer cancel(nil)
			w := s.watch(ctx)
			if w == nil {
				return
			}
			defer w.stop()
			cause := errors.New("cause")
			cancel(cause)
			for range w.changes {
			}
			s.fails(w.err, cause, context.Canceled)
		}},
		{"a context that has ended ends it before it begins", func(s *suite) {
			ctx, cause := ended(s.ctx)
			watcher, ok := remote.AsWatcher(s.r)
			if !ok {
				return
			}
			for c, err := range watcher.Watch(ctx, time.Minute) {
				if err == nil {
					s.Errorf("%+v", c)
				}
				s.fails(err, cause, ctx.Err(), remote.ErrUnsupported)
			}
		}},
	}
}

// watchYields changes one thing after the other.
func watchYields(s *suite) {
	s.mkdir("d")
	w := s.watch(s.ctx)
	if w == nil {
		return
	}
	defer w.stop()
	for _, change := range []struct {
		name string // that is to be told
		make func()
	}{
		{"f", func() { s.put("f", "one") }},
		{"f", func() { s.put("f", "two, and longer") }},
		{"d/f", func() { s.put("d/f", "x") }},
		{"d/moved", func() { s.ok(remote.Move(s.ctx, s.r, "d/f", "d/moved")) }},
		{"d/moved", func() { s.remove("d/moved") }},
		{"e", func() { s.mkdir("e") }},
		{"e", func() { s.ok(s.r.Rmdir(s.ctx, "e")) }},
		{"name with \"quotes\" & +% ü", func() { s.put("name with \"quotes\" & +% ü", "x") }},
		{"f", func() { s.remove("f") }},
	} {
		change.make()
		for c := w.next(s); !tells(c, change.name); c = w.next(s) {
		}
	}
	if s.caps.MoveDir {
		s.put("d/f", "x")
		s.ok(s.r.(remote.Mover).Move(s.ctx, "d", "moved"))
		for names := []string{"d/f", "moved/f"}; len(names) > 0; { // in any order
			c := w.next(s)
			names = slices.DeleteFunc(names, func(name string) bool { return tells(c, name) })
		}
	}
}

// tells reports whether c says that name has changed.
func tells(c remote.Change, name string) bool {
	return c.Name == name || c.Below && remote.Below(name, c.Name)
}

// A watching is a Watch under way.
type watching struct {
	first   remote.Change
	changes chan remote.Change // closed at the end
	err     error              // how it ended, when changes is closed
	stop    func()             // ends it
}

// watchTime is how long a change may take to be told.
const watchTime = time.Minute

// watch begins to watch the remote; nil where that is not possible.
func (s *suite) watch(ctx context.Context) *watching {
	s.Helper()
	watcher, ok := remote.AsWatcher(s.r)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &watching{changes: make(chan remote.Change)}
	gone := make(chan struct{})
	w.stop = func() {
		cancel()
		close(gone)
		for range w.changes {
		}
	}
	go func() {
		defer close(w.changes)
		for c, err := range watcher.Watch(ctx, time.Second) {
			if w.err = err; err != nil {
				return
			}
			select {
			case w.changes <- c:
			case <-gone:
				return
			}
		}
	}()
	select {
	case w.first, ok = <-w.changes:
	case <-time.After(watchTime):
		cancel()
		s.Fatal("the watch does not begin")
	}
	if ok {
		return w
	}
	cancel()
	if !errors.Is(w.err, remote.ErrUnsupported) {
		s.Errorf("the watch ends with %v", w.err)
	}
	return nil
}

// next returns the next change.
func (w *watching) next(s *suite) remote.Change {
	s.Helper()
	select {
	case c, ok := <-w.changes:
		if !ok {
			s.Fatalf("the watch ends with %v", w.err)
		}
		return c
	case <-time.After(watchTime):
		s.Fatal("the change is not told")
		return remote.Change{}
	}
}
