package remote

import "io"

// TapReader returns a reader with the abilities of rc: an io.WriterTo if rc is one, Described if rc
// is. It calls read after each piece, with the error that rc returned, and closed after the first
// Close.
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

// WriteTo does not pass errors of w to read.
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
	err   error // returned by w
}

func (t *tappedWriter) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	t.wrote(int64(n), nil)
	if err != nil {
		t.err = err
	}
	return n, err
}

// TapBody returns a body for Put that reads from body and calls read after each piece.
func TapBody(body io.Reader, read func(n int64, err error)) io.Reader {
	return readFunc(func(p []byte) (int, error) {
		n, err := body.Read(p)
		read(int64(n), err)
		return n, err
	})
}

// TapStage returns a stage with the abilities of s: an io.ReaderFrom if s is one. It calls wrote
// after each Write, with the error that s returned, and after each ReadFrom, with nil: there it is
// unknown whether s or the source failed.
func TapStage(s Stage, wrote func(n int64, err error)) Stage {
	t := &tappedStage{s, wrote}
	if from, ok := s.(io.ReaderFrom); ok {
		return &tappedStageFrom{t, from}
	}
	return t
}

type tappedStage struct {
	Stage
	wrote func(n int64, err error)
}

// UnwrapStage implements WrappedStage.
func (t *tappedStage) UnwrapStage() Stage { return t.Stage }

func (t *tappedStage) Write(p []byte) (int, error) {
	n, err := t.Stage.Write(p)
	t.wrote(int64(n), err)
	return n, err
}

type tappedStageFrom struct {
	*tappedStage
	from io.ReaderFrom
}

// ReadFrom passes src on unwrapped, so that the system can recognise a connection or a file.
func (t *tappedStageFrom) ReadFrom(src io.Reader) (int64, error) {
	n, err := t.from.ReadFrom(src)
	t.wrote(n, nil)
	return n, err
}
