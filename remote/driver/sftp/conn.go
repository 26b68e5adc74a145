package sftp

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"ferry/remote"
)

// patience is how long a call that nobody waits for may take, before its connection is taken for
// dead.
const patience = 10 * time.Second

// A conn is a connection to the server. Any number of calls share it.
type conn struct {
	// constant
	ssh   *ssh.Client
	sftp  *sftp.Client
	start func(*ssh.Session) error // starts the server's side of a channel
	names *collected               // what sftp reads from

	lost atomic.Bool

	users int       // guarded by pool.mu
	since time.Time // when users became 0; guarded by pool.mu

	rawMu sync.Mutex
	raw   *raw // nil until it is needed; guarded by rawMu
}

// close ends every call, and so every goroutine that makes one.
func (c *conn) close() {
	c.lost.Store(true)
	c.ssh.Close() // what it could report is that it was closed already
}

// await makes a call of package sftp, which knows no context, and returns when it does or when ctx
// ends. In the second case the call goes on, late gets what it yields in the end, and if it never
// ends, its connection is dead.
func await[T any](ctx context.Context, c *conn, call func() (T, error), late func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var zero T
	if ctx.Err() != nil {
		return zero, context.Cause(ctx)
	}
	var settled atomic.Bool // the result belongs to whom sets it
	done := make(chan result, 1)
	ended := make(chan struct{})
	go func() {
		value, err := call()
		close(ended)
		if settled.CompareAndSwap(false, true) {
			done <- result{value, err}
		} else if err == nil && late != nil {
			late(value)
		}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	if !settled.CompareAndSwap(false, true) {
		r := <-done
		return r.value, r.err
	}
	go c.watch(ended)
	return zero, context.Cause(ctx)
}

// watch closes the connection if ended does not come.
func (c *conn) watch(ended <-chan struct{}) {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-ended:
	case <-t.C:
		c.close()
	}
}

// commit is do for a change that others see: once it was begun it cannot be called back, and the
// call waits for its answer as remote.Committed lets it. When there is none, the change is in
// doubt. call gets the context it is waited under.
func commit(ctx context.Context, c *conn, call func(ctx context.Context) error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case c.lost.Load(): // nothing is sent
		return errLost
	}
	committed, release := remote.Committed(ctx)
	defer release()
	err := do(committed, c, func() error { return call(committed) })
	if unanswered(err) {
		remote.Unanswered(ctx)
	}
	return err
}

// do is await for calls that yield nothing.
func do(ctx context.Context, c *conn, call func() error) error {
	_, err := await(ctx, c, func() (struct{}, error) { return struct{}{}, call() }, nil)
	return err
}
