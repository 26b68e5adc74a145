package writeback

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"ferry/remote"
)

var errAborted = errors.New("upload aborted")

// streamed is an upload to a remote that takes whole files only: a Put runs beside it and reads
// what is written. Nothing is published unless Commit lets the Put come to the end of its body.
type streamed struct {
	remote  remote.Remote
	name    string
	lock    lockFunc // of the Direct; nil = who commits it has done that
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

// lockFunc is lock of a Direct.
type lockFunc func(ctx context.Context, names ...string) (release func(), err error)

// startStreamed starts the Put and waits until the remote asks for the first byte, so that what it
// refuses is refused before a byte is taken.
func startStreamed(ctx context.Context, r remote.Remote, name string, d *doubts, lock lockFunc) (*streamed, error) {
	// The Put outlives ctx for as long as Commit's own context allows.
	putCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	u := &streamed{remote: r, name: name, lock: lock, cancel: cancel, done: make(chan struct{}), request: d.request(0, name)}
	u.body, u.in = io.Pipe()
	u.detach = context.AfterFunc(ctx, func() { u.end(context.Cause(ctx)) })

	asked := make(chan struct{})
	ask := sync.OnceFunc(func() { close(asked) })
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
		u.entry, u.err = putSafely(u.request.watch(putCtx), r, name, body, remote.PutOptions{})
		u.body.CloseWithError(u.err) // a Write that waits fails with it
	}()
	select {
	case <-asked:
		return u, nil
	case <-u.done:
	}
	u.release()
	if u.err == nil {
		u.err = io.ErrUnexpectedEOF // the remote says it stored a body that it did not read
	}
	return nil, u.err
}

func (u *streamed) Write(p []byte) (int, error) { return u.in.Write(p) }

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

// complete lets the Put come to the end of its body.
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
	}
	defer u.request.begin().end()
	u.in.Close() // the body is complete, unless it has been ended
	<-u.done
	u.release()
	return u.err
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

// end makes the Put fail with cause: its context is over, and neither a Read of its body nor a
// Write waits any more.
func (u *streamed) end(cause error) {
	u.cancel(cause)
	u.body.CloseWithError(cause)
}

// release lets go of the contexts when the Put has returned.
func (u *streamed) release() {
	u.detach()
	u.cancel(nil)
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
