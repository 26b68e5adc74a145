package writeback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"
	"sync/atomic"

	"ferry/remote"
)

// A contentReader reads pending content, and records whether that fails or ends too early.
type contentReader struct {
	*io.SectionReader
	at  atomic.Int64 // bytes read so far
	err error
}

// Read implements io.Reader.
func (r *contentReader) Read(p []byte) (int, error) {
	n, err := r.SectionReader.Read(p)
	if at := r.at.Add(int64(n)); err == io.EOF && at < r.Size() {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// A contentError means that pending content could not be read from the local disk.
type contentError struct{ err error }

func (e *contentError) Error() string { return e.prefix() + e.err.Error() }

func (*contentError) prefix() string { return "the content cannot be read from the cache: " }

func (e *contentError) Unwrap() error { return e.err }

// damaged reports whether the content is missing or truncated. An unreadable disk, or too few
// descriptors, can be repaired.
func (e *contentError) damaged() bool {
	return errors.Is(e.err, fs.ErrNotExist) || errors.Is(e.err, io.ErrUnexpectedEOF)
}

// putSafely is Put, except that a panic becomes an error with its stack: in a goroutine of its own
// it would end the process, and with it all transfers.
func putSafely(ctx context.Context, r remote.Remote, name string, body io.Reader, o remote.PutOptions) (e remote.Entry, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in Put: %v\n%s", p, debug.Stack())
		}
	}()
	return r.Put(ctx, name, body, o)
}
