package writeback

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"
	"sync/atomic"

	"ferry/cache"
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

// putSafely is Put, or with a version PutIf, except that a panic becomes an error with its stack:
// in a goroutine of its own it would end the process, and with it all transfers.
func putSafely(
	ctx context.Context, r remote.Remote, name string, body io.Reader, only *string, o remote.PutOptions,
) (e remote.Entry, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in Put: %v\n%s", p, debug.Stack())
		}
	}()
	if only != nil {
		return remote.PutIf(ctx, r, name, body, *only, o)
	}
	return r.Put(ctx, name, body, o)
}

// hasContent reports whether e, the remote's file of the name of rec, has the content of rec, as
// far as a checksum shows.
func (v *Tree) hasContent(ctx context.Context, rec cache.Record, e remote.Entry) (same, known bool) {
	digest := e.Digest
	if digest == "" {
		sum, err := remote.Hash(ctx, v.remote, rec.Name, remote.MD5)
		if err != nil {
			return false, false
		}
		digest = remote.NewDigest(remote.MD5, sum)
	}
	h := digest.New()
	if h == nil {
		return false, false
	}
	content, err := v.store.OpenContent(rec.ID)
	if err != nil {
		return false, false
	}
	defer content.Close()
	if _, err := io.Copy(h, remote.ContextReader(ctx, content.Section())); err != nil {
		return false, false
	}
	return digest.Is(h), true
}

// readsAs reports whether the remote's file of the name of rec has the content of rec. It reads
// both.
func (v *Tree) readsAs(ctx context.Context, rec cache.Record) (bool, error) {
	content, err := v.store.OpenContent(rec.ID)
	if err != nil {
		return false, &contentError{err}
	}
	defer content.Close()
	there, err := v.remote.Open(ctx, rec.Name, 0, -1)
	if errors.Is(err, remote.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer there.Close()
	here, theirs := sha256.New(), sha256.New()
	if _, err := io.Copy(here, remote.ContextReader(ctx, content.Section())); err != nil {
		return false, &contentError{err}
	}
	if _, err := io.Copy(theirs, there); err != nil {
		return false, err
	}
	return bytes.Equal(here.Sum(nil), theirs.Sum(nil)), nil
}
