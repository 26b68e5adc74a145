package chunker

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"ferry/remote"
)

// A hold is on a name as long as files of it are read.
type hold struct {
	readers int
	waiting []func(ctx context.Context) // what is done when there are none
}

// hold keeps the chunks of what name is until release is called.
func (r *Remote) hold(ctx context.Context, name string) (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.readers[name]
	if h == nil {
		h = &hold{}
		r.readers[name] = h
	}
	h.readers++
	return sync.OnceFunc(func() { r.release(ctx, name, h) })
}

func (r *Remote) release(ctx context.Context, name string, h *hold) {
	r.mu.Lock()
	h.readers--
	if h.readers > 0 || len(h.waiting) == 0 {
		if h.readers == 0 {
			delete(r.readers, name)
		}
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	if free, err := r.paths.Change(context.WithoutCancel(ctx), name); err == nil { // it is, as no context ends the wait
		defer free()
	}
	r.mu.Lock()
	var waiting []func(ctx context.Context)
	if h.readers == 0 && r.readers[name] == h { // nobody came meanwhile
		waiting = h.waiting
		delete(r.readers, name)
	}
	r.mu.Unlock()
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), remote.AnswerTime)
	defer cancel()
	for _, do := range waiting {
		do(clean)
	}
}

// whenUnread calls do when nobody reads what name is or was: now, or when the last reader ends. The
// caller holds the lock of name, and so does who calls do.
func (r *Remote) whenUnread(ctx context.Context, name string, do func(ctx context.Context)) {
	r.mu.Lock()
	if h := r.readers[name]; h != nil {
		h.waiting = append(h.waiting, do)
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	committed, release := remote.Committed(ctx)
	defer release()
	do(committed)
}

// noting returns a context for changes of the chunks of name. One that is not answered may come
// late, and find chunks of another content under the names without a mark: so there will be none.
func (r *Remote) noting(ctx context.Context, name string) context.Context {
	return remote.WithUnanswered(ctx, func() {
		r.mu.Lock()
		r.unsure[name] = true
		r.mu.Unlock()
		remote.Unanswered(ctx)
	})
}

// doubt returns a context for the change that makes a file, and what tells whether it was sent and
// not answered: then the file may come to be there, and its chunks must stay.
func doubt(ctx context.Context) (context.Context, *atomic.Bool) {
	var inDoubt atomic.Bool
	return remote.WithUnanswered(ctx, func() {
		inDoubt.Store(true)
		remote.Unanswered(ctx)
	}), &inDoubt
}

// discard removes the chunks of a file that is there no more, when nobody reads them.
func (r *Remote) discard(ctx context.Context, f file) {
	if f.rec == nil {
		return
	}
	r.whenUnread(ctx, f.name, func(ctx context.Context) {
		ctx = r.noting(ctx, f.name)
		for i := range *f.rec.Chunks {
			err := r.eitherName(f, i, func(name string) error { return r.below.Remove(ctx, name) })
			if err != nil && !errors.Is(err, remote.ErrNotExist) {
				remote.Warn(ctx, "a chunk of a file that is gone could not be removed", "file", f.name, "error", err)
				return
			}
		}
	})
}
