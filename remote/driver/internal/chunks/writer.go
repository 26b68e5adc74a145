package chunks

import (
	"context"
	"io"
	"io/fs"
	"sync"
	"time"
)

// A Writer writes a file behind who writes to it: a few chunks are under way while the next one is
// filled.
type Writer struct {
	// constant
	file io.WriterAt
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

// NewWriter returns a writer to f from off on, with at most chunks under way.
func NewWriter(f io.WriterAt, off int64, chunks int) *Writer {
	return &Writer{file: f, room: make(chan struct{}, chunks), stop: make(chan struct{}), off: off, bad: -1}
}

// Write implements io.Writer. An error may be that of an earlier write.
func (w *Writer) Write(p []byte) (int, error) {
	w.busy.Lock()
	defer w.busy.Unlock()
	n := 0
	for n < len(p) {
		if w.ended() {
			return n, fs.ErrClosed
		}
		if w.buf == nil {
			w.buf = make([]byte, 0, Size)
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
func (w *Writer) flush() error {
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
func (w *Writer) send() {
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

func (w *Writer) fail(at int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bad < 0 || at < w.bad {
		w.bad, w.err = at, err
	}
}

func (w *Writer) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Drain sends what is left and waits until everything is written, or ctx ends.
func (w *Writer) Drain(ctx context.Context) error {
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

// Fill writes the next n bytes, all of what src has, and waits until they are written.
func (w *Writer) Fill(ctx context.Context, src io.Reader, n int64) error {
	k, err := io.Copy(struct{ io.Writer }{w}, src)
	if err == nil && k < n {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = w.Drain(ctx)
	}
	return err
}

// wait waits for the chunks under way. They end at the latest with the connection.
func (w *Writer) wait(ctx context.Context) error {
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

// End makes writes fail.
func (w *Writer) End() { w.once.Do(func() { close(w.stop) }) }

func (w *Writer) ended() bool {
	select {
	case <-w.stop:
		return true
	default:
		return false
	}
}

// Written returns how many bytes from the beginning of the file on are surely there, once nothing
// is under way.
func (w *Writer) Written() int64 {
	w.busy.Lock()
	defer w.busy.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bad >= 0 {
		return w.bad
	}
	return w.off
}

// DrainFor is Drain for patience, after which it calls cut, which makes what is under way fail.
// Written tells what came of it.
func (w *Writer) DrainFor(patience time.Duration, cut func()) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = w.Drain(ctx) // what has failed is not written
	if ctx.Err() != nil {
		cut()
		w.under.Wait()
	}
}
