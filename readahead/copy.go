package readahead

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"ferry/cache"
)

// readCopy reads p from the copy, which contained all of it. 0 means that it was evicted meanwhile.
func (r *reader) readCopy(p []byte) int {
	n, err := r.file.copy.ReadAt(p, r.pos)
	if err != nil {
		r.file.withoutCopy(err)
	}
	return n
}

// sendCopy sends n bytes that the copy contained. 0 without an error means that they were evicted
// meanwhile.
func (r *reader) sendCopy(w io.Writer, n int64) (sent int64, err error) {
	if _, able := w.(io.ReaderFrom); !able {
		return r.writeCopy(w, n)
	}
	if r.sender == nil {
		r.sender = r.file.copy.Sender()
	}
	sent, fault, err := r.sender.Send(w, r.pos, n)
	if fault != nil {
		r.file.withoutCopy(fault)
	}
	return sent, err
}

// writeCopy is sendCopy through memory.
func (r *reader) writeCopy(w io.Writer, n int64) (sent int64, err error) {
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	m := r.readCopy(b[:min(n, blockSize)])
	if m == 0 {
		return 0, nil
	}
	m, err = w.Write(b[:m])
	return int64(m), err
}

// keep writes a block to the copy, if there is a copy and space, and reports whether it did.
func (f *file) keep(b *block, off, n int64) bool {
	f.mu.Lock()
	broken := f.broken
	f.mu.Unlock()
	if f.copy == nil || broken {
		return false
	}
	err := f.copy.WriteAt(b.data[:n], off)
	if err != nil && !errors.Is(err, cache.ErrNoSpace) {
		f.withoutCopy(err)
	}
	return err == nil
}

// withoutCopy continues without the copy, which cannot be used.
func (f *file) withoutCopy(err error) {
	f.mu.Lock()
	known := f.broken
	f.broken, f.notKept = true, true
	f.changed.Broadcast()
	f.mu.Unlock()
	if !known {
		f.tree.warn("the disk cache fails; reading without it", f.name, err)
		f.tree.dropCopy(f.name)
	}
}

// dropAllCopies drops the copy of name, of any version, also for later readers: the received
// content was not that of the remote.
func (t *Tree) dropAllCopies(name string) {
	if t.opt.Store == nil {
		return
	}
	t.mu.Lock()
	delete(t.files, name)
	t.mu.Unlock()
	t.dropCopy(name)
}

// dropCopy drops the copy of name, of any version.
func (t *Tree) dropCopy(name string) {
	if err := t.opt.Store.Forget(name); err != nil {
		t.warn("a copy cannot be removed from the disk cache", name, err)
	}
}

func (t *Tree) warn(message, name string, err error) {
	t.opt.Log.LogAttrs(context.Background(), slog.LevelWarn, message, slog.String("path", name), slog.Any("error", err))
}
