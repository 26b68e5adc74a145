package writeback

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"ferry/events"
	"ferry/remote"
)

var errAborted = errors.New("upload aborted")

// A streamed is an upload to a remote that cannot stage: a concurrent Put reads the written data.
// Nothing is published until Commit ends the body of the Put.
type streamed struct {
	remote  remote.Remote
	name    string
	lock    lockFunc // of the Direct; nil = the caller of Commit holds the lock
	fresh   bool     // Commit must not replace a file; with lock
	tell    *teller  // of the Direct; nil = the caller of Commit tells what becomes of it
	origin  *events.Origin
	size    int64 // written so far
	request *request
	in      *io.PipeWriter
	body    *io.PipeReader
	cancel  context.CancelCauseFunc // ends the Put
	detach  func() bool             // stops Create's ctx from ending the Put
	done    chan struct{}           // closed when the Put has returned
	entry   remote.Entry            // what it stored; read after done
	err     error                   // what it returned; read after done
	ended   atomic.Bool             // by Commit or Abort
}

// A lockFunc is the method lock of a Direct.
type lockFunc func(ctx context.Context, names ...string) (release func(), err error)

// startStreamed starts the Put and waits until the remote reads the first byte, so that a refusal
// comes before a byte is accepted.
func startStreamed(ctx context.Context, r remote.Remote, name string, d *doubts, lock lockFunc) (*streamed, error) {
	// The Put outlives ctx for as long as Commit's own context allows.
	putCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	u := &streamed{remote: r, name: name, lock: lock, cancel: cancel, done: make(chan struct{}), request: d.request(0, name)}
	u.body, u.in = io.Pipe()
	u.detach = context.AfterFunc(ctx, func() { u.end(context.Cause(ctx)) })

	lateCall := make(chan struct{})
	ask := sync.OnceFunc(func() { close(lateCall) })
	body := readFunc(func(p []byte) (int, error) {
		ask()
		n, err := u.body.Read(p)
		if errors.Is(err, io.ErrClosedPipe) {
			err = context.Cause(putCtx) // see end
		}
		return n, err
	})
	go func() {
		defer close(u.done)
		u.entry, u.err = putSafely(u.request.watch(putCtx), r, name, body, nil, remote.PutOptions{})
		u.body.CloseWithError(u.err) // a blocked Write fails with it
	}()
	select {
	case <-lateCall:
		return u, nil
	case <-u.done:
	}
	u.release()
	if u.err == nil {
		u.err = io.ErrUnexpectedEOF // the remote reports success without having read the body
	}
	return nil, u.err
}

func (u *streamed) Write(p []byte) (int, error) {
	n, err := u.in.Write(p)
	u.size += int64(n)
	return n, err
}

// Commit implements remote.Stage.
func (u *streamed) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	if u.ended.Load() {
		return remote.Entry{}, nil
	}
	if ctx.Err() != nil {
		return remote.Entry{}, pathError("publish", u.name, context.Cause(ctx))
	}
	if err := u.complete(ctx); err != nil {
		return remote.Entry{}, err
	}
	u.ended.Store(true)
	if modTime.IsZero() {
		return u.entry, nil
	}
	if err := remote.SetModTime(ctx, u.remote, u.name, modTime); err != nil && !errors.Is(err, remote.ErrUnsupported) {
		return remote.Entry{}, err
	}
	e := u.entry
	e.ModTime, e.Version = modTime, ""
	return e, nil
}

// complete ends the body of the Put, and waits for the Put.
func (u *streamed) complete(ctx context.Context) error {
	u.detach()
	stop := context.AfterFunc(ctx, func() { u.end(context.Cause(ctx)) })
	defer stop()
	if u.lock != nil {
		release, err := u.lock(ctx, u.name)
		if err != nil {
			return err
		}
		defer release()
		if u.fresh {
			if err := absent(ctx, u.remote, u.name); err != nil {
				return err
			}
		}
	}
	a, err := u.announce(ctx)
	if err != nil {
		return err
	}
	defer u.request.begin().end()
	u.in.Close() // the body is complete, unless it has been ended
	<-u.done
	u.release()
	a.end(ctx, u.entry, u.err)
	return u.err
}

// announce tells that the file is about to be published.
func (u *streamed) announce(ctx context.Context) (*announcement, error) {
	if u.tell == nil {
		return nil, nil
	}
	a, err := u.tell.announce(ctx, u.origin, u.name, nil, u.size, time.Time{})
	a.follow(u.request)
	return a, err
}

// Keep implements remote.Stage: nothing can be kept.
func (u *streamed) Keep() error { return u.Abort() }

// Abort implements remote.Stage.
func (u *streamed) Abort() error {
	if !u.ended.Swap(true) {
		u.end(errAborted)
		<-u.done
		u.release()
	}
	return nil
}

// end makes the Put fail with cause: it cancels the context, and unblocks Reads of the body and
// Writes.
func (u *streamed) end(cause error) {
	u.cancel(cause)
	u.body.CloseWithError(cause)
}

// release releases the contexts when the Put has returned.
func (u *streamed) release() {
	u.detach()
	u.cancel(nil)
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
