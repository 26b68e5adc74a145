package remote

import (
	"context"
	"io"
	"sync/atomic"
	"time"
)

// TapReader returns rc as it is to its reader: an io.WriterTo if rc is one, Described as rc is. It
// calls read after each piece, with the error that rc reported, and closed after the first Close.
func TapReader(rc io.ReadCloser, read func(n int64, err error), closed func(err error)) io.ReadCloser {
	t := &tapped{rc: rc, read: read, closed: closed}
	if to, ok := rc.(io.WriterTo); ok {
		return &tappedTo{t, to}
	}
	return t
}

type tapped struct {
	rc     io.ReadCloser
	read   func(n int64, err error)
	closed func(err error)
}

func (t *tapped) Read(p []byte) (int, error) {
	n, err := t.rc.Read(p)
	t.read(int64(n), err)
	return n, err
}

func (t *tapped) Close() error {
	err := t.rc.Close()
	if t.closed != nil {
		t.closed(err)
		t.closed = nil
	}
	return err
}

func (t *tapped) Described() (Entry, bool) { return Describe(t.rc) }

type tappedTo struct {
	*tapped
	to io.WriterTo
}

// WriteTo keeps the errors of w from read.
func (t *tappedTo) WriteTo(w io.Writer) (int64, error) {
	out := &tappedWriter{w: w, wrote: t.read}
	n, err := t.to.WriteTo(out)
	if err != nil && out.err == nil {
		t.read(0, err)
	}
	return n, err
}

type tappedWriter struct {
	w     io.Writer
	wrote func(n int64, err error)
	err   error // what w reported
}

func (t *tappedWriter) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	t.wrote(int64(n), nil)
	if err != nil {
		t.err = err
	}
	return n, err
}

// TapBody returns body for a Put; it calls read after each piece.
func TapBody(body io.Reader, read func(n int64, err error)) io.Reader {
	return readFunc(func(p []byte) (int, error) {
		n, err := body.Read(p)
		read(int64(n), err)
		return n, err
	})
}

// TapStage returns s as it is to its writer: an io.ReaderFrom if s is one. It calls wrote after
// each Write with the error that s reported, and after each ReadFrom, with nil: whether s or its
// source failed is not known there. It calls called after each "publish", "keep" and "discard",
// until one of them has ended s, with the time that it took.
func TapStage(s Stage, wrote func(n int64, err error), called func(op string, took time.Duration, err error)) Stage {
	t := &tappedStage{Stage: s, wrote: wrote, called: called}
	if from, ok := s.(io.ReaderFrom); ok {
		return &tappedStageFrom{t, from}
	}
	return t
}

type tappedStage struct {
	Stage
	wrote  func(n int64, err error)
	called func(op string, took time.Duration, err error)
	ended  atomic.Bool
}

func (t *tappedStage) Write(p []byte) (int, error) {
	n, err := t.Stage.Write(p)
	t.wrote(int64(n), err)
	return n, err
}

func (t *tappedStage) Commit(ctx context.Context, modTime time.Time) (Entry, error) {
	begun := time.Now()
	e, err := t.Stage.Commit(ctx, modTime)
	t.report("publish", begun, err, err == nil)
	return e, err
}

func (t *tappedStage) Keep() error {
	begun := time.Now()
	err := t.Stage.Keep()
	t.report("keep", begun, err, true)
	return err
}

func (t *tappedStage) Abort() error {
	begun := time.Now()
	err := t.Stage.Abort()
	t.report("discard", begun, err, true)
	return err
}

func (t *tappedStage) report(op string, begun time.Time, err error, ends bool) {
	if ends && t.ended.CompareAndSwap(false, true) || !ends && !t.ended.Load() {
		t.called(op, time.Since(begun), err)
	}
}

type tappedStageFrom struct {
	*tappedStage
	from io.ReaderFrom
}

// ReadFrom hands src on as it is, so that the system can recognise a connection or a file in it.
func (t *tappedStageFrom) ReadFrom(src io.Reader) (int64, error) {
	n, err := t.from.ReadFrom(src)
	t.wrote(n, nil)
	return n, err
}
