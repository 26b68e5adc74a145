package remote_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
)

// A gauge sums the reports of a tap.
type gauge struct {
	n    int64
	errs []error
}

func (g *gauge) moved(n int64, err error) {
	g.n += n
	if err != nil {
		g.errs = append(g.errs, err)
	}
}

func TestTapReaderTellsWhatPasses(t *testing.T) {
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		rc   io.ReadCloser
		to   bool
		errs []error
	}{
		"a reader":              {io.NopCloser(iotest.OneByteReader(strings.NewReader("content"))), false, []error{io.EOF}},
		"a writer to":           {io.NopCloser(strings.NewReader("content")), true, nil},
		"a reader that fails":   {io.NopCloser(io.MultiReader(strings.NewReader("content"), iotest.ErrReader(failed))), true, []error{failed}},
		"a described one":       {described{io.NopCloser(iotest.HalfReader(strings.NewReader("content")))}, false, []error{io.EOF}},
		"one that closes badly": {badCloser{strings.NewReader("content"), failed}, false, []error{io.EOF}},
	} {
		t.Run(name, func(t *testing.T) {
			var g gauge
			var closed []error
			rc := remote.TapReader(c.rc, g.moved, func(err error) { closed = append(closed, err) })
			if _, to := rc.(io.WriterTo); to != c.to {
				t.Errorf("io.WriterTo: %v", to)
			}
			var b bytes.Buffer
			_, err := io.Copy(&b, rc)
			if b.String() != "content" || g.n != 7 || !slices.Equal(g.errs, c.errs) {
				t.Errorf("%q, %v; %+v", b.String(), err, g)
			}
			_, isDescribed := c.rc.(described)
			if _, ok := remote.Describe(rc); ok != isDescribed {
				t.Errorf("Describe: %v", ok)
			}
			first := rc.Close()
			rc.Close()
			if len(closed) != 1 || closed[0] != first {
				t.Errorf("Close = %v, told %v", first, closed)
			}
		})
	}
}

type described struct{ io.ReadCloser }

func (described) Described() (remote.Entry, bool) { return remote.Entry{Name: "f"}, true }

type badCloser struct {
	io.Reader
	err error
}

func (b badCloser) Close() error { return b.err }

func TestTapReaderKeepsTheErrorsOfAWriterToItself(t *testing.T) {
	var g gauge
	rc := remote.TapReader(io.NopCloser(strings.NewReader("content")), g.moved, nil)
	full := errors.New("full")
	if _, err := rc.(io.WriterTo).WriteTo(failingWriter{full}); err != full || g.errs != nil {
		t.Errorf("%v; %+v", err, g)
	}
	if err := rc.Close(); err != nil {
		t.Error(err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write(p []byte) (int, error) { return 0, w.err }

func TestTapBody(t *testing.T) {
	var g gauge
	b, err := io.ReadAll(remote.TapBody(strings.NewReader("content"), g.moved))
	if string(b) != "content" || err != nil || g.n != 7 {
		t.Errorf("%q, %v; %+v", b, err, g)
	}
}

func TestTapStageTellsWhatPasses(t *testing.T) {
	for _, from := range []bool{false, true} {
		s, err := memory.New().Stage(t.Context(), "f", remote.StageOptions{Owner: "o"})
		if err != nil {
			t.Fatal(err)
		}
		if from {
			s = stageFrom{s}
		}
		var g gauge
		s = remote.TapStage(s, g.moved)
		if _, able := s.(io.ReaderFrom); able != from {
			t.Errorf("io.ReaderFrom: %v", able)
		}
		if _, err := io.Copy(s, iotest.OneByteReader(strings.NewReader("content"))); err != nil || g.n != 7 {
			t.Errorf("%v; %+v", err, g)
		}
		if err := s.Abort(); err != nil {
			t.Error(err)
		}
	}
}

type stageFrom struct{ remote.Stage }

func (s stageFrom) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{s.Stage}, r)
}

func TestSameContent(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		a, b remote.Entry
		want bool
	}{
		{remote.Entry{Size: 1, Version: "x"}, remote.Entry{Size: 1, Version: "x"}, true},
		{remote.Entry{Size: -1, Version: "x"}, remote.Entry{Size: 1, Version: "x"}, true},
		{remote.Entry{Size: 1, Version: "x"}, remote.Entry{Size: 2, Version: "x"}, false},
		{remote.Entry{Size: 1, Version: "x", ModTime: now}, remote.Entry{Size: 1, Version: "y", ModTime: now}, false},
		{remote.Entry{Size: 1, ModTime: now}, remote.Entry{Size: 1, Version: "y", ModTime: now.UTC()}, true},
		{remote.Entry{Size: -1, ModTime: now}, remote.Entry{Size: 1, ModTime: now}, false},
		{remote.Entry{Size: 1}, remote.Entry{Size: 1}, false},
		{remote.Entry{Size: 1, ModTime: now}, remote.Entry{Size: 1, ModTime: now.Add(1)}, false},
	} {
		if got := remote.SameContent(c.a, c.b); got != c.want {
			t.Errorf("%+v, %+v: %v", c.a, c.b, got)
		}
	}
}
