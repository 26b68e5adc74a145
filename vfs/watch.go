package vfs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ferry/remote"
)

// feed is how the far side is watched. The zero value does not watch.
type feed struct {
	mu       sync.Mutex
	interval time.Duration           // guarded by mu; 0 = not at all
	silent   bool                    // guarded by mu; the far side has said that it tells nothing
	restart  context.CancelCauseFunc // guarded by mu; ends what runs with the interval before; nil when nothing runs
}

// Watch forgets what changes on the far side, as long as there is a PollInterval. It returns nil when ctx has ended, and
// an ErrUnsupported at once where the remote cannot tell what changes. It is called once.
//
// It begins by forgetting everything. settled is called behind that, or when it turns out that it will not come soon: what
// is listed from then on stays.
func (f *FS) Watch(ctx context.Context, settled func()) error {
	settled = sync.OnceFunc(settled)
	defer settled()
	if f.names.live {
		return nil // nothing is remembered
	}
	w, ok := remote.AsWatcher(f.remote)
	if !ok {
		return f.noPolling()
	}
	for ctx.Err() == nil {
		at, interval := f.feed.begin(ctx)
		if interval <= 0 {
			settled()
			<-at.Done()
			continue
		}
		if err := f.watch(at, w, interval, settled); err != nil {
			f.feed.end()
			return err
		}
	}
	f.feed.end()
	return nil
}

// PollInterval returns how often a remote that has to be asked what has changed is asked, 0 for never. It is an
// ErrUnsupported where the remote cannot be asked, or need not be.
func (f *FS) PollInterval() (time.Duration, error) {
	f.feed.mu.Lock()
	defer f.feed.mu.Unlock()
	if _, ok := remote.AsWatcher(f.remote); !ok || f.feed.silent || f.names.live {
		return 0, f.noPolling()
	}
	return f.feed.interval, nil
}

// SetPollInterval changes the interval; 0 ends the polling.
func (f *FS) SetPollInterval(d time.Duration) error {
	if _, err := f.PollInterval(); err != nil {
		return err
	}
	f.feed.mu.Lock()
	defer f.feed.mu.Unlock()
	if f.feed.interval = d; f.feed.restart != nil {
		f.feed.restart(errIntervalChanged)
	}
	return nil
}

var errIntervalChanged = errors.New("the poll interval was changed")

func (f *FS) noPolling() error {
	return fmt.Errorf("polling for changes is %w by %s", remote.ErrUnsupported, f.remote.Info().Name)
}

// begin returns the interval, and a context that ends when another is set.
func (d *feed) begin(ctx context.Context) (context.Context, time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.restart != nil {
		d.restart(nil)
	}
	ctx, d.restart = context.WithCancelCause(ctx)
	return ctx, d.interval
}

func (d *feed) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.restart(nil)
	d.restart = nil
}

const watchAgain = time.Second // after which a watch that ended is begun again the first time

// watch follows w until ctx ends, beginning again when it ends. It returns an error if nothing will ever be told.
func (f *FS) watch(ctx context.Context, w remote.Watcher, interval time.Duration, settled func()) error {
	again := watchAgain
	for {
		err := f.names.follow(w.Watch(ctx, interval), func() {
			again = watchAgain
			settled()
			f.names.log.LogAttrs(ctx, slog.LevelInfo, "changes on the far side are seen from now on")
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, remote.ErrUnsupported):
			f.feed.mu.Lock()
			f.feed.silent = true
			f.feed.mu.Unlock()
			return f.noPolling()
		}
		settled()
		level := slog.LevelDebug // for those behind the first
		if again == watchAgain {
			level = slog.LevelWarn
		}
		f.names.log.LogAttrs(ctx, level, "changes on the far side are not seen for now; trying again", slog.Any("error", err))
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return nil
		}
		again = min(2*again, max(interval, watchAgain))
	}
}
