package readahead

import (
	"context"
	"io"

	"ferry/remote"
)

// A result is the started response to a first request, for the beginning of the range to read.
type result struct {
	body   io.ReadCloser
	entry  remote.Entry
	blocks int
	cancel context.CancelCauseFunc
}

func (a *result) drop() {
	if a != nil {
		a.cancel(nil)
		a.body.Close()
	}
}

// sendProbe makes the first request, at off, of an unknown file.
func (t *Tree) sendProbe(ctx context.Context, name string, off int64) (*result, error) {
	askCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	defer stop()
	n := 1
	if off%blockSize > 0 {
		n = 2
	}
	return t.request(askCtx, cancel, name, off-off%blockSize, n)
}

// request makes a request for n blocks.
func (t *Tree) request(ctx context.Context, cancel context.CancelCauseFunc, name string, off int64, n int) (*result, error) {
	rc, err := t.direct.Open(ctx, name, off, int64(n)*blockSize)
	if err != nil {
		cancel(err)
		return nil, err
	}
	e, known := remote.Describe(rc)
	if !known {
		// Content opened before this Stat is of the version that the Stat returns, or of none.
		if e, err = t.direct.Stat(ctx, name); err != nil {
			rc.Close()
			cancel(err)
			return nil, err
		}
	}
	return &result{rc, e, n, cancel}, nil
}

// A probe is the first request for an unknown file. Other readers wait for its result instead of
// making requests of their own.
type probe struct {
	done  chan struct{} // closed when the request is part of a file
	known bool
	entry remote.Entry
}

// probeOf returns the probe of name in progress, or nil.
func (t *Tree) probeOf(name string) *probe {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.probes[name]
}

// startProbe returns the probe of name in progress; mine means that it is new, and that the caller
// makes the request.
func (t *Tree) startProbe(name string) (mine bool, a *probe) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a := t.probes[name]; a != nil {
		return false, a
	}
	a = &probe{done: make(chan struct{})}
	t.probes[name] = a
	return true, a
}

func (t *Tree) endProbe(name string, a *probe) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.probes, name)
	close(a.done)
}
