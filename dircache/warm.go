package dircache

import (
	"context"
	"sync"

	"ferry/remote"
)

// Warmed is the progress of Warm.
type Warmed struct {
	Dirs, Files int   // directories that were listed, and files in them
	Failed      int   // directories that could not be listed
	Err         error // of the first directory that failed
	Full        bool  // it ended early because the cache is full
}

// Warm fills the cache: it lists the root and everything below it, parallel directories at a time.
// It ends when everything is listed, when the cache is full, or with ctx, whose error it returns.
// progress is called after each directory, never concurrently. If nothing is cached (Uncached),
// Warm does nothing.
func (t *Tree) Warm(ctx context.Context, parallel int, progress func(Warmed)) (Warmed, error) {
	if t.uncached {
		return Warmed{}, nil
	}
	w := &walk{tree: t, waiting: []string{"."}, progress: progress}
	w.changed.L = &w.mu
	stop := context.AfterFunc(ctx, w.wake)
	defer stop()
	var walkers sync.WaitGroup
	for range max(parallel, 1) {
		walkers.Go(func() { w.run(ctx) })
	}
	walkers.Wait()
	return w.warmed, ctx.Err()
}

// A walk lists directories in last-in, first-out order, which keeps waiting short.
type walk struct {
	tree     *Tree
	progress func(Warmed)

	mu      sync.Mutex
	changed sync.Cond // of the fields below
	waiting []string  // guarded by mu
	running int       // guarded by mu; directories that are being listed
	warmed  Warmed    // guarded by mu
}

func (w *walk) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed.Broadcast()
}

// run lists one directory after another until none is left.
func (w *walk) run(ctx context.Context) {
	for {
		dir, ok := w.take(ctx)
		if !ok {
			return
		}
		below, files, err := w.list(ctx, dir)
		w.done(ctx, below, files, err)
	}
}

// take waits for a directory to list.
func (w *walk) take(ctx context.Context) (dir string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.waiting) == 0 && w.running > 0 && ctx.Err() == nil {
		w.changed.Wait()
	}
	if !w.warmed.Full && len(w.waiting) > 0 {
		w.warmed.Full = w.tree.full()
	}
	if len(w.waiting) == 0 || w.warmed.Full || ctx.Err() != nil {
		return "", false
	}
	last := len(w.waiting) - 1
	dir, w.waiting = w.waiting[last], w.waiting[:last]
	w.running++
	return dir, true
}

func (w *walk) list(ctx context.Context, dir string) (below []string, files int, err error) {
	for e, err := range w.tree.List(ctx, dir) {
		switch {
		case err != nil:
			return nil, files, err
		case e.Dir && e.Part == "":
			below = append(below, remote.Join(dir, e.Name))
		default:
			files++
		}
	}
	return below, files, nil
}

// done records the result of a directory.
func (w *walk) done(ctx context.Context, below []string, files int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running--
	w.waiting = append(w.waiting, below...)
	w.changed.Broadcast()
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		w.warmed.Dirs++
		w.warmed.Files += files
	} else if w.warmed.Failed++; w.warmed.Err == nil {
		w.warmed.Err = err
	}
	if w.progress != nil {
		w.progress(w.warmed)
	}
}

// full reports whether the cache is nearly full. An eighth is reserved for listings in progress,
// because the first to be evicted would be the root.
func (t *Tree) full() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.weight >= t.capacity-t.capacity/8
}
