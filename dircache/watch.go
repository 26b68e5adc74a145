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

// watch is the state of Follow. The zero value does not watch.
type watch struct {
	mu          sync.Mutex
	interval    time.Duration           // guarded by mu; 0 = do not watch
	unsupported bool                    // guarded by mu; the remote reports no changes
	restart     context.CancelCauseFunc // guarded by mu; ends the watch with the previous interval; nil when none runs
}

// Follow watches the remote and invalidates what others change there, as long as there is a
// PollInterval. It returns nil when ctx has ended, and an ErrUnsupported at once if the remote
// cannot report changes. It is called once.
//
// It begins by invalidating everything. ready is called after that, or as soon as it is clear that
// the watch does not begin soon: listings from then on stay cached.
func (t *Tree) Follow(ctx context.Context, ready func()) error {
	ready = sync.OnceFunc(ready)
	defer ready()
	if t.uncached {
		return nil // nothing is cached
	}
	w, ok := remote.AsWatcher(t.Remote)
	if !ok {
		return t.noPolling()
	}
	defer t.watch.end()
	for ctx.Err() == nil {
		at, interval := t.watch.begin(ctx)
		if interval <= 0 {
			ready()
			<-at.Done()
			continue
		}
		if err := t.followWith(at, w, interval, ready); err != nil {
			return err
		}
	}
	return nil
}

// PollInterval returns how often the remote is polled for changes, 0 for never. The error is an
// ErrUnsupported if the remote cannot be polled, or need not be.
func (t *Tree) PollInterval() (time.Duration, error) {
	t.watch.mu.Lock()
	defer t.watch.mu.Unlock()
	if _, ok := remote.AsWatcher(t.Remote); !ok || t.watch.unsupported || t.uncached {
		return 0, t.noPolling()
	}
	return t.watch.interval, nil
}

// SetPollInterval changes the interval; 0 stops the polling.
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

// begin returns the interval, and a context that ends when the interval is changed.
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

const firstRetry = time.Second // delay before a watch that ended is first begun again

// followWith follows w until ctx ends, and begins again when the watch ends. It returns an error if
// the remote reports no changes at all.
func (t *Tree) followWith(ctx context.Context, w remote.Watcher, interval time.Duration, ready func()) error {
	delay := firstRetry
	for {
		err := t.follow(w.Watch(ctx, interval), func() {
			delay = firstRetry
			ready()
			t.log.LogAttrs(ctx, slog.LevelInfo, "changes on the remote are seen from now on")
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, remote.ErrUnsupported):
			t.watch.mu.Lock()
			t.watch.unsupported = true
			t.watch.mu.Unlock()
			return t.noPolling()
		}
		ready()
		level := slog.LevelDebug // for failures after the first
		if delay == firstRetry {
			level = slog.LevelWarn
		}
		t.log.LogAttrs(ctx, level, "changes on the remote are not seen for now; trying again", slog.Any("error", err))
		if remote.Sleep(ctx, delay) != nil {
			return nil
		}
		delay = min(2*delay, max(interval, firstRetry))
	}
}

// Changes made by others are invalidated when the remote reports them. They are not fetched: they
// may never be needed.

// follow applies changes, and returns the error that ended them. It calls begun after the first.
func (t *Tree) follow(changes iter.Seq2[remote.Change, error], begun func()) error {
	first := true
	for change, err := range changes {
		if err != nil {
			return err
		}
		t.counts.changes.Add(1)
		t.ApplyRemoteChange(change)
		if first {
			begun()
		}
		first = false
	}
	return nil
}

// ApplyRemoteChange invalidates the names that ch may have changed, unless the cache already
// matches it: then the change was made through ferry, or the remote was queried since.
func (t *Tree) ApplyRemoteChange(ch remote.Change) {
	if ch.Name == "." && ch.Below {
		t.Forget()
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, known := t.lastKnown(ch.Name); known && !e.Dir && t.dirs[ch.Name] == nil {
		ch.Below = false // nothing is below a file, so that nothing has to be looked for
	}
	if ch.Removed {
		t.dropListing(ch.Name)
		delete(t.flights, ch.Name)
	}
	if t.matches(ch) {
		return
	}
	t.dropTwins(ch.Name)
	t.changes++
	t.dropListing(ch.Name)
	delete(t.flights, ch.Name)
	t.dropName(ch.Name)
	if ch.Below {
		t.invalidateTree(ch.Name)
	}
	if ch.Name != "." {
		t.dropParents(ch)
	}
}

// matches reports whether the cache already has the state after ch. A flight may have seen the
// state before it.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) matches(ch remote.Change) bool {
	dir, base := remote.Split(ch.Name)
	l := t.dirs[dir]
	if l == nil || t.flights[dir] != nil || ch.Below {
		return false
	}
	e, found := t.lookup(l, base)
	switch {
	case ch.Removed:
		return !found && t.spellings == nil
	case ch.Dir:
		return found && e.Dir
	}
	return found && !e.Dir && e.Version != "" && e.Version == ch.Version
}

// dropParents drops the listing that contains a change. On a remote with implicit directories, its
// parents may have appeared or vanished with it.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) dropParents(ch remote.Change) {
	dir, base := remote.Split(ch.Name)
	stays := !t.implicit || t.dirs[dir].holdsOthers(base)
	t.dropListing(dir)
	delete(t.flights, dir)
	if !ch.Removed {
		t.noteParents(dir)
		return
	}
	for dir != "." && !stays {
		t.dropName(dir)
		dir, base = remote.Split(dir)
		stays = t.dirs[dir].holdsOthers(base)
		t.dropListing(dir)
		delete(t.flights, dir)
	}
}
