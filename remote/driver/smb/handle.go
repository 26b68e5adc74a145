package smb

import (
	"context"
	"io"
	"io/fs"
	"sync"
	"time"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote/driver/internal/conns"
)

// A handle is an open file that steps aside.
type handle struct {
	// constant
	c     *conn
	files *files
	flags int
	check func(f *smb2.File) error // that it is still the same file; nil = it is

	mu     sync.RWMutex
	f      *smb2.File // nil while it is aside, and after Close; guarded by mu
	closed bool       // guarded by mu
}

// open opens a file as package os does. It is not a directory, or check fails for one.
func (f *files) openFile(ctx context.Context, c *conn, at target, flags int, check func(f *smb2.File) error) (*handle, error) {
	h := &handle{c: c, files: f, flags: flags, check: check}
	f.add(h, at)
	_, err := conns.Await(ctx, c, func() (*handle, error) { return h, h.reopen(ctx) }, func(h *handle) { h.Close() })
	if err != nil {
		f.remove(h)
		return nil, err
	}
	return h, nil
}

// reopen opens the file under the name that it has by now.
func (h *handle) reopen(ctx context.Context) error {
	at := h.files.where(h)
	s, err := h.c.share(at.share)
	if err != nil {
		return err
	}
	open := func() error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.closed {
			return fs.ErrClosed
		}
		if h.f != nil {
			return nil
		}
		f, err := s.OpenFile(h.files.where(h).path, h.flags, 0o666)
		if err != nil {
			return err
		}
		if h.check != nil {
			if err := h.check(f); err != nil {
				f.Close()
				return err
			}
		}
		h.f = f
		return nil
	}
	return h.files.watches.steady(func() target { return h.files.where(h) }, func() error {
		return h.files.attempt(ctx, h.c, open)
	})
}

// use calls op with the file, which stays open meanwhile.
func (h *handle) use(op func(f *smb2.File) error) error {
	for {
		h.mu.RLock()
		if h.closed {
			h.mu.RUnlock()
			return fs.ErrClosed
		}
		if f := h.f; f != nil {
			defer h.mu.RUnlock()
			return h.c.safely(func() error { return op(f) })
		}
		h.mu.RUnlock()
		if h.c.Lost() {
			return conns.ErrLost
		}
		// What waits for it ends at the latest with the connection.
		if err := h.reopen(context.Background()); err != nil {
			return err
		}
	}
}

// ReadAt implements io.ReaderAt.
func (h *handle) ReadAt(p []byte, off int64) (n int, err error) {
	err = h.use(func(f *smb2.File) error {
		n, err = f.ReadAt(p, off)
		if err == io.EOF {
			return nil
		}
		return err
	})
	if err == nil && n == 0 && len(p) > 0 {
		err = io.EOF
	}
	return n, err
}

// WriteAt implements io.WriterAt.
func (h *handle) WriteAt(p []byte, off int64) (n int, err error) {
	err = h.use(func(f *smb2.File) error {
		n, err = f.WriteAt(p, off)
		return err
	})
	return n, err
}

// Truncate cuts the file off.
func (h *handle) Truncate(size int64) error {
	return h.use(func(f *smb2.File) error { return f.Truncate(size) })
}

// aside implements opened.
func (h *handle) aside(deadline time.Time) bool {
	if !lockBefore(deadline, h.mu.TryLock) {
		return false
	}
	defer h.mu.Unlock()
	_ = h.closeLocked() // if it cannot be closed, the change is refused again
	return true
}

// lockBefore locks a mutex that may be held by a call which is not answered.
func lockBefore(deadline time.Time, try func() bool) bool {
	for !try() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	return true
}

// LOCKS_REQUIRED(h.mu)
func (h *handle) closeLocked() error {
	f := h.f
	if f == nil {
		return nil
	}
	h.f = nil
	return h.c.safely(f.Close)
}

// Close implements io.Closer. It waits for the calls under way. That it was closed before is no
// error.
func (h *handle) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	err := h.closeLocked()
	h.files.remove(h)
	return err
}
