package dircache

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"ferry/remote"
)

// watch is how the remote is watched. The zero value does not watch.
type watch struct {
	mu       sync.Mutex
	interval time.Duration           // guarded by mu; 0 = not at all
	silent   bool                    // guarded by mu; the remote has said that it reports nothing
	restart  context.CancelCauseFunc // guarded by mu; ends what runs with the interval before; nil when nothing runs
}

// Follow forgets what others change on the remote, as long as there is a PollInterval. It returns
// nil when ctx has ended, and an ErrUnsupported at once where the remote cannot report what
// changes. It is called once.
//
// It begins by forgetting everything. settled is called after that, or when it turns out that it
// will not come soon: what is listed from then on stays.
func (t *Tree) Follow(ctx context.Context, settled func()) error {
	settled = sync.OnceFunc(settled)
	defer settled()
	if t.live {
		return nil // nothing is remembered
	}
	w, ok := remote.AsWatcher(t.Remote)
	if !ok {
		return t.noPolling()
	}
	defer t.watch.end()
	for ctx.Err() == nil {
		at, interval := t.watch.begin(ctx)
		if interval <= 0 {
			settled()
			<-at.Done()
			continue
		}
		if err := t.followWith(at, w, interval, settled); err != nil {
			return err
		}
	}
	return nil
}

// PollInterval returns how often a remote that has to be asked what has changed is asked, 0 for
// never. It is an ErrUnsupported where the remote cannot be asked, or need not be.
func (t *Tree) PollInterval() (time.Duration, error) {
	t.watch.mu.Lock()
	defer t.watch.mu.Unlock()
	if _, ok := remote.AsWatcher(t.Remote); !ok || t.watch.silent || t.live {
		return 0, t.noPolling()
	}
	return t.watch.interval, nil
}

// SetPollInterval changes the interval; 0 ends the polling.
func (t *Tree) SetPollInterval(d time.Duration) error {
	if _, err := t.PollInterval(); err != nil {
		return err
	}
	t.watch.mu.Lock()
	defer t.watch.mu.Unlock()
	if t.watch.interval = d; t.watch.restart != nil {
		t.watch.restart(errIntervalChanged)
	}
	return nil
}

var errIntervalChanged = errors.New("the poll interval was changed")

func (t *Tree) noPolling() error {
	return fmt.Errorf("polling for changes is %w by %s", remote.ErrUnsupported, t.Remote.Info().Name)
}

// begin returns the interval, and a context that ends when another is set.
func (w *watch) begin(ctx context.Context) (context.Context, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.restart != nil {
		w.restart(nil)
	}
	ctx, w.restart = context.WithCancelCause(ctx)
	return ctx, w.interval
}

func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.restart != nil { // it had begun
		w.restart(nil)
	}
	w.restart = nil
}

const watchAgain = time.Second // after which a watch that ended is begun again the first time

// followWith follows w until ctx ends, beginning again when it ends. It returns an error if nothing
// will ever be reported.
func (t *Tree) followWith(ctx context.Context, w remote.Watcher, interval time.Duration, settled func()) error {
	again := watchAgain
	for {
		err := t.follow(w.Watch(ctx, interval), func() {
			again = watchAgain
			settled()
			t.log.LogAttrs(ctx, slog.LevelInfo, "changes on the remote are seen from now on")
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, remote.ErrUnsupported):
			t.watch.mu.Lock()
			t.watch.silent = true
			t.watch.mu.Unlock()
			return t.noPolling()
		}
		settled()
		level := slog.LevelDebug // for those after the first
		if again == watchAgain {
			level = slog.LevelWarn
		}
		t.log.LogAttrs(ctx, level, "changes on the remote are not seen for now; trying again", slog.Any("error", err))
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return nil
		}
		again = min(2*again, max(interval, watchAgain))
	}
}

// What others change on the remote is forgotten when the remote reports it. It is not looked at:
// nobody may ever ask for it.

// follow forgets what changes, and returns how the changes ended. It calls begun after the first.
func (t *Tree) follow(changes iter.Seq2[remote.Change, error], begun func()) error {
	first := true
	for change, err := range changes {
		if err != nil {
			return err
		}
		t.Changed(change)
		if first {
			begun()
		}
		first = false
	}
	return nil
}

// Changed forgets what ch may have changed, unless the change leads to what is remembered: then
// ferry has made it, or somebody has looked since.
func (t *Tree) Changed(ch remote.Change) {
	if ch.Name == "." && ch.Below {
		t.Forget()
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if ch.Removed {
		t.drop(ch.Name)
		delete(t.flights, ch.Name)
	}
	if t.agrees(ch) {
		return
	}
	t.changes++
	t.drop(ch.Name)
	delete(t.flights, ch.Name)
	delete(t.points, ch.Name)
	if ch.Below {
		t.forget(ch.Name)
	}
	if ch.Name != "." {
		t.dropAbove(ch)
	}
}

// agrees reports whether what is remembered is what ch leads to. A listing under way may have seen
// what was before.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) agrees(ch remote.Change) bool {
	dir, base := remote.Split(ch.Name)
	l := t.dirs[dir]
	if l == nil || t.flights[dir] != nil || ch.Below {
		return false
	}
	e, found := l.lookup(base)
	switch {
	case ch.Removed:
		return !found && !t.fold
	case ch.Dir:
		return found && e.Dir
	}
	return found && !e.Dir && e.Version != "" && e.Version == ch.Version
}

// dropAbove forgets the listing that a change is in. On a remote whose directories exist by having
// files in them, those above may have come or gone with it.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) dropAbove(ch remote.Change) {
	dir, base := remote.Split(ch.Name)
	stays := !t.implicit || t.dirs[dir].holdsOthers(base)
	t.drop(dir)
	delete(t.flights, dir)
	if !ch.Removed {
		t.appeared(dir)
		return
	}
	for dir != "." && !stays {
		delete(t.points, dir)
		dir, base = remote.Split(dir)
		stays = t.dirs[dir].holdsOthers(base)
		t.drop(dir)
		delete(t.flights, dir)
	}
}

// holdsOthers reports whether there surely is something else in l than base. l may be nil.
// LOCKS_REQUIRED(Tree.mu)
func (l *listing) holdsOthers(base string) bool {
	if l == nil {
		return false
	}
	for i := range l.base {
		name := l.base[i].Name
		if e, ok := l.changed[name]; name != base && l.base[i].Part == "" && (!ok || e != nil) {
			return true
		}
	}
	for name, e := range l.changed {
		if name != base && e != nil {
			return true
		}
	}
	return false
}
