package sftp

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"github.com/pkg/sftp"
)

// A writer writes a file behind who writes to it: a few chunks are under way while the next one is
// filled.
type writer struct {
	// constant
	file *sftp.File
	room chan struct{} // holds a token for each chunk under way
	stop chan struct{} // closed when nothing more is to be written

	busy sync.Mutex
	buf  []byte // guarded by busy
	off  int64  // where buf begins; guarded by busy

	under sync.WaitGroup // chunks under way

	mu   sync.Mutex
	bad  int64 // where the first chunk that failed does so; -1 = none; guarded by mu
	err  error // why; guarded by mu
	once sync.Once
}

// newWriter writes to f from off on, with at most chunks under way.
func newWriter(f *sftp.File, off int64, chunks int) *writer {
	return &writer{file: f, room: make(chan struct{}, chunks), stop: make(chan struct{}), off: off, bad: -1}
}

// Write implements io.Writer. An error may be that of an earlier write.
func (w *writer) Write(p []byte) (int, error) {
	w.busy.Lock()
	defer w.busy.Unlock()
	n := 0
	for n < len(p) {
		if w.ended() {
			return n, fs.ErrClosed
		}
		if w.buf == nil {
			w.buf = make([]byte, 0, chunkSize)
		}
		k := min(len(p)-n, cap(w.buf)-len(w.buf))
		w.buf = append(w.buf, p[n:n+k]...)
		n += k
		if len(w.buf) == cap(w.buf) {
			if err := w.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, w.failed()
}

// flush sends what is in buf, when there is room for it.
// LOCKS_REQUIRED(w.busy)
func (w *writer) flush() error {
	select {
	case w.room <- struct{}{}:
	case <-w.stop:
		return fs.ErrClosed
	}
	if err := w.failed(); err != nil {
		<-w.room
		return err
	}
	w.send()
	return nil
}

// send writes buf in the background. The caller has put a token into room.
// LOCKS_REQUIRED(w.busy)
func (w *writer) send() {
	b, off := w.buf, w.off
	w.buf = nil
	w.off += int64(len(b))
	w.under.Go(func() {
		n, err := w.file.WriteAt(b, off)
		if err != nil {
			w.fail(off+int64(n), err)
		}
		<-w.room
	})
}

func (w *writer) fail(at int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bad < 0 || at < w.bad {
		w.bad, w.err = at, err
	}
}

func (w *writer) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// drain sends what is left and waits until everything is written, or ctx ends.
func (w *writer) drain(ctx context.Context) error {
	w.busy.Lock()
	defer w.busy.Unlock()
	if len(w.buf) > 0 && w.failed() == nil {
		select {
		case w.room <- struct{}{}:
			w.send()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := w.wait(ctx); err != nil {
		return err
	}
	return w.failed()
}

// wait waits for the chunks under way. They end at the latest with the connection.
func (w *writer) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		w.under.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// end makes writes fail.
func (w *writer) end() { w.once.Do(func() { close(w.stop) }) }

func (w *writer) ended() bool {
	select {
	case <-w.stop:
		return true
	default:
		return false
	}
}

// written returns how many bytes from the beginning of the file on are surely there, once nothing
// is under way.
func (w *writer) written() int64 {
	w.busy.Lock()
	defer w.busy.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bad >= 0 {
		return w.bad
	}
	return w.off
}

// closeFile closes the file. That it was closed before is no error.
func (w *writer) closeFile() error {
	if err := w.file.Close(); !errors.Is(err, fs.ErrClosed) {
		return err
	}
	return nil
}
