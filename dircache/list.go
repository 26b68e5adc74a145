package dircache

import (
	"context"
	"io/fs"
	"iter"
	"log/slog"
	"time"

	"ferry/breaker"
	"ferry/remote"
)

// List yields the entries of dir: from a fresh listing, else from the remote as they arrive. At
// most one listing of a directory is in progress, shared by all callers.
func (t *Tree) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	if t.uncached {
		return t.Remote.List(ctx, dir)
	}
	return func(yield func(remote.Entry, error) bool) {
		stale, isFresh := t.listed(dir)
		t.counts.asked(isFresh)
		if isFresh {
			stale.yield(yield)
			return
		}
		if stale != nil && !t.breaker.Closed() {
			t.yieldStale(ctx, dir, stale, breaker.ErrOpen, yield)
			return
		}
		if !breaker.MayWait(ctx) && !t.breaker.Closed() {
			yield(remote.Entry{}, &fs.PathError{Op: "list", Path: dir, Err: breaker.ErrOpen})
			return
		}
		f := t.join(ctx, dir)
		defer f.leave()
		if stale != nil && t.wait > 0 && !f.finishedWithin(ctx, t.wait) {
			f.detach()
			stale.yield(yield)
			return
		}
		if stale != nil {
			err := f.failedWithin(ctx, t.breaker.Wait())
			if err == breaker.ErrSilent {
				f.detach()
			}
			if err != nil && ctx.Err() == nil && !breaker.IsAnswer(err) {
				t.yieldStale(ctx, dir, stale, err, yield)
				return
			}
		}
		f.yield(ctx, yield)
	}
}

// yieldStale yields an expired listing, because a new one failed with err.
func (t *Tree) yieldStale(ctx context.Context, dir string, stale *snapshot, err error, yield func(remote.Entry, error) bool) {
	if err != breaker.ErrOpen {
		t.breaker.Report(ctx, err)
	}
	t.logProbeFailure(ctx, "the remote does not answer; showing an old listing", dir, err, slog.Duration("age", time.Since(stale.at)))
	stale.yield(yield)
}

// logProbeFailure logs that an expired answer is used; at debug if the breaker is open, as that was
// logged before.
func (t *Tree) logProbeFailure(ctx context.Context, what, name string, err error, more ...slog.Attr) {
	level := slog.LevelWarn
	if err == breaker.ErrOpen {
		level = slog.LevelDebug
	}
	t.log.LogAttrs(ctx, level, what, append([]slog.Attr{slog.String("path", name), slog.Any("error", err)}, more...)...)
}

// Refresh lists dir again, and with recursive all directories below it. It continues when a
// directory fails, and returns the first error.
func (t *Tree) Refresh(ctx context.Context, dir string, recursive bool) error {
	if t.uncached {
		return nil
	}
	t.mu.Lock()
	t.dropListing(dir)
	delete(t.flights, dir)
	t.mu.Unlock()
	var first error
	var below []string
	for e, err := range t.List(ctx, dir) {
		if err != nil {
			first = err
			break
		}
		if e.Dir && e.Part == "" {
			below = append(below, remote.Join(dir, e.Name))
		}
	}
	for _, d := range below {
		if !recursive || ctx.Err() != nil {
			break
		}
		if err := t.Refresh(ctx, d, true); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Listed returns the cached listing of dir, however old; false if there is none.
func (t *Tree) Listed(dir string) (iter.Seq2[remote.Entry, error], bool) {
	s, _ := t.listed(dir)
	if s == nil {
		return nil, false
	}
	return s.yield, true
}
