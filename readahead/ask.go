package readahead

import (
	"context"
	"io"

	"ferry/remote"
)

// An answer is a request for the beginning of what is read, which the remote has begun to answer.
type answer struct {
	body   io.ReadCloser
	entry  remote.Entry
	blocks int
	cancel context.CancelCauseFunc
}

func (a *answer) drop() {
	if a != nil {
		a.cancel(nil)
		a.body.Close()
	}
}

// ask requests what begins at off of a file of which nothing is known.
func (t *Tree) ask(ctx context.Context, name string, off int64) (*answer, error) {
	askCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	defer stop()
	n := 1
	if off%blockSize > 0 {
		n = 2
	}
	return t.request(askCtx, cancel, name, off-off%blockSize, n)
}

// request asks for n blocks.
func (t *Tree) request(ctx context.Context, cancel context.CancelCauseFunc, name string, off int64, n int) (*answer, error) {
	rc, err := t.direct.Open(ctx, name, off, int64(n)*blockSize)
	if err != nil {
		cancel(err)
		return nil, err
	}
	e, known := remote.Describe(rc)
	if !known {
		// What was opened before this look is of the version that the look finds, or of none.
		if e, err = t.direct.Stat(ctx, name); err != nil {
			rc.Close()
			cancel(err)
			return nil, err
		}
	}
	return &answer{rc, e, n, cancel}, nil
}

// asked is a first request for a file of which nothing is known. Others wait for the answer rather
// than ask as well.
type asked struct {
	done  chan struct{} // closed when the request is part of a file
	known bool
	entry remote.Entry
}

// asksFor returns the first request for name that is under way; nil = there is none.
func (t *Tree) asksFor(name string) *asked {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asks[name]
}

// asking returns the first request for name that is under way; mine reports that it is the caller's
// to make.
func (t *Tree) asking(name string) (mine bool, a *asked) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.asks[name]; a != nil {
		return false, a
	}
	a = &asked{done: make(chan struct{})}
	t.asks[name] = a
	return true, a
}

func (t *Tree) answered(name string, a *asked) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.asks, name)
	close(a.done)
}
