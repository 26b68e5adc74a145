package retry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/wrap/faulty"
	"ferry/remote/wrap/retry"
)

func (w *world) open(off, n int64) io.ReadCloser {
	w.Helper()
	f, err := w.r.Open(w.Context(), "f", off, n)
	if err != nil {
		w.Fatal(err)
	}
	return f
}

func TestAReadGoesOnWhereItBrokeOff(t *testing.T) {
	inWorld(t, retry.Options{Attempts: 3}, func(w *world) {
		w.put("f", "0123456789")
		for _, c := range []struct {
			off, n int64
			want   string
		}{{0, -1, "0123456789"}, {2, 6, "234567"}, {4, 100, "456789"}} {
			// More often than there are attempts, but each gets further.
			w.faults.Inject(faulty.Fault{Op: faulty.Read, Times: 4, After: 1})
			f := w.open(c.off, c.n)
			got, err := io.ReadAll(f)
			if string(got) != c.want || err != nil {
				w.Errorf("Open(%d, %d) reads %q, %v", c.off, c.n, got, err)
			}
			if err := f.Close(); err != nil {
				w.Error(err)
			}
			w.faults.Heal()
		}
	})
}

func TestAReadThatGetsNoFurtherFails(t *testing.T) {
	inWorld(t, retry.Options{Attempts: 3}, func(w *world) {
		w.faults.Inject(faulty.Fault{Op: faulty.Read, After: 2})
		f := w.open(0, -1)
		w.faults.Inject(faulty.Fault{Op: faulty.Open, Times: -1})
		got, err := io.ReadAll(f)
		if string(got) != "co" || !w.faults.Surfaced(err) || w.faults.Calls(faulty.Open) != 3 {
			w.Errorf("%q, %v, %d calls of Open", got, err, w.faults.Calls(faulty.Open))
		}
		if _, again := f.Read(make([]byte, 1)); again != err {
			w.Errorf("the next Read: %v", again)
		}
		if err := f.Close(); err != nil {
			w.Error(err)
		}
	})
}

func TestAReadNeverGoesOnInAnotherVersion(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		w.faults.Inject(faulty.Fault{Op: faulty.Read, After: 3})
		f := w.open(0, -1)
		w.put("f", "CONTENT")
		got, err := io.ReadAll(f)
		if string(got) != "con" || !w.faults.Surfaced(err) || !errors.Is(err, remote.ErrChanged) {
			w.Errorf("%q, %v", got, err)
		}
		// Before the first byte any version will do.
		w.faults.Inject(faulty.Fault{Op: faulty.Read})
		f = w.open(0, -1)
		w.put("f", "other content")
		if got, err := io.ReadAll(f); string(got) != "other content" || err != nil {
			w.Errorf("%q, %v", got, err)
		}
	})
}

func TestAReadThatKnowsNoVersionDoesNotGoOn(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		r := retry.New(nameless{remote.Forward{Remote: w.faults}}, retry.Options{})
		for after, want := range map[int64]string{0: "content", 3: "con"} {
			w.faults.Inject(faulty.Fault{Op: faulty.Read, After: after})
			f, err := r.Open(w.Context(), "f", 0, -1)
			if err != nil {
				w.Fatal(err)
			}
			if got, err := io.ReadAll(f); string(got) != want || (err == nil) != (after == 0) {
				w.Errorf("after %d: %q, %v", after, got, err)
			}
		}
	})
}

// nameless has readers that are not remote.Described.
type nameless struct{ remote.Forward }

func (r nameless) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	f, err := r.Forward.Open(ctx, name, off, n)
	return struct{ io.ReadCloser }{f}, err
}

func TestTheContextEndsARead(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		w.faults.Inject(faulty.Fault{Op: faulty.Read, After: 3})
		w.faults.Inject(faulty.Fault{Op: faulty.Open, Skip: 1, Times: -1})
		ctx, cancel := context.WithCancel(w.Context())
		f, err := w.r.Open(ctx, "f", 0, -1)
		if err != nil {
			w.Fatal(err)
		}
		time.AfterFunc(15*time.Millisecond, cancel)
		if got, err := io.ReadAll(f); string(got) != "con" || !errors.Is(err, context.Canceled) {
			w.Errorf("%q, %v", got, err)
		}
	})
}

// writing has readers that are io.WriterTos.
type writing struct{ remote.Forward }

func (r writing) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	f, err := r.Forward.Open(ctx, name, off, n)
	return &writerTo{f}, err
}

type writerTo struct{ io.ReadCloser }

func (f *writerTo) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{f.ReadCloser})
}

func (f *writerTo) Described() (remote.Entry, bool) { return remote.Describe(f.ReadCloser) }

func TestAWriterToGoesOnWhereItBrokeOff(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		r := retry.New(writing{remote.Forward{Remote: w.faults}}, retry.Options{})
		w.faults.Inject(faulty.Fault{Op: faulty.Read, Times: 3, After: 2})
		f, err := r.Open(w.Context(), "f", 0, -1)
		if err != nil {
			w.Fatal(err)
		}
		var b bytes.Buffer
		if n, err := f.(io.WriterTo).WriteTo(&b); b.String() != "content" || n != 7 || err != nil {
			w.Errorf("%q, %d, %v", b.String(), n, err)
		}
		if f, err = r.Open(w.Context(), "f", 0, -1); err != nil {
			w.Fatal(err)
		}
		full := errors.New("full")
		if _, err := f.(io.WriterTo).WriteTo(writeFunc(func([]byte) (int, error) { return 0, full })); err != full {
			w.Errorf("a writer that fails: %v", err)
		}
		if e, ok := remote.Describe(f); !ok || e.Name != "f" {
			w.Errorf("%+v, %v", e, ok)
		}
	})
}

type writeFunc func(p []byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

func TestALocalFileStaysWhatItIs(t *testing.T) {
	l, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := retry.New(l, retry.Options{})
	defer r.Close()
	if _, err := r.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	f, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, ok := f.(*os.File); !ok {
		t.Errorf("%T", f)
	}
	s, err := r.Stage(t.Context(), "g", remote.StageOptions{Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.(io.ReaderFrom); !ok {
		t.Errorf("%T is no io.ReaderFrom", s)
	}
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
}

func TestABodyThatCanBeReadAgainIsPutAgain(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		body := strings.NewReader("--new content")
		if _, err := body.Seek(2, io.SeekStart); err != nil {
			w.Fatal(err)
		}
		w.faults.Inject(faulty.Fault{Op: faulty.Put, Times: 3, After: 4})
		w.faults.Inject(faulty.Fault{Op: faulty.Put, Times: 2, Late: true})
		if _, err := w.r.Put(w.Context(), "f", body, remote.PutOptions{Size: 11}); err != nil {
			w.Error(err)
		}
		if got := w.get("f"); got != "new content" {
			w.Errorf("stored %q", got)
		}
	})
}

func TestABodyOfWhichNothingWasReadIsPutAgain(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		body := iotest.OneByteReader(strings.NewReader("new content"))
		w.faults.Inject(faulty.Fault{Op: faulty.Put, Times: 3})
		if _, err := w.r.Put(w.Context(), "f", body, remote.PutOptions{}); err != nil {
			w.Error(err)
		}
		if got := w.get("f"); got != "new content" {
			w.Errorf("stored %q", got)
		}
		w.faults.Inject(faulty.Fault{Op: faulty.Put, After: 1})
		body = iotest.OneByteReader(strings.NewReader("x"))
		if _, err := w.r.Put(w.Context(), "f", body, remote.PutOptions{}); !w.faults.Surfaced(err) {
			w.Errorf("a byte was read: %v", err)
		}
		if got := w.get("f"); got != "new content" {
			w.Errorf("stored %q", got)
		}
	})
}

func TestABodyThatFailsIsNotPutAgain(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		before := w.faults.Calls(faulty.Put)
		failed := errors.New("the body failed")
		body := struct {
			io.Reader
			io.Seeker
		}{iotest.ErrReader(failed), strings.NewReader("")}
		if _, err := w.r.Put(w.Context(), "f", body, remote.PutOptions{}); !errors.Is(err, failed) {
			w.Errorf("Put: %v", err)
		}
		if n := w.faults.Calls(faulty.Put) - before; n != 1 {
			w.Errorf("%d calls", n)
		}
	})
}

// A remote may return from Put while it still reads the body.
func TestALateReadTakesNothingFromTheNextAttempt(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		late := make(chan error, 1)
		d := &deserter{Forward: remote.Forward{Remote: w.faults}, late: late}
		r := retry.New(d, retry.Options{})
		if _, err := r.Put(w.Context(), "f", strings.NewReader("new content"), remote.PutOptions{}); err != nil {
			w.Error(err)
		}
		if got := w.get("f"); got != "new content" {
			w.Errorf("stored %q", got)
		}
		if err := <-late; err == nil {
			w.Error("a Read after the end of its Put succeeds")
		}
		// While such a Read is under way, nobody knows what it takes.
		d.blocked = true
		pr, pw := io.Pipe()
		if _, err := r.Put(w.Context(), "f", pr, remote.PutOptions{}); !errors.Is(err, faulty.ErrInjected) {
			w.Errorf("Put: %v", err)
		}
		pw.Close()
		<-late
	})
}

// A deserter fails its first Put and reads its body afterwards, or, if blocked, fails every Put
// within a Read.
type deserter struct {
	remote.Forward
	blocked bool
	first   io.Reader
	late    chan error
}

func (d *deserter) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	read := func(body io.Reader) {
		_, err := body.Read(make([]byte, 5))
		d.late <- err
	}
	switch {
	case d.blocked:
		reading := make(chan struct{})
		go read(io.MultiReader(readFunc(func([]byte) (int, error) { close(reading); return 0, io.EOF }), body))
		<-reading
		time.Sleep(time.Second) // virtual: until the Read blocks
		return remote.Entry{}, faulty.ErrInjected
	case d.first == nil:
		d.first = body
		return remote.Entry{}, faulty.ErrInjected
	}
	go read(d.first)
	return d.Forward.Put(ctx, name, body, o)
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestAStageIsNotWrittenTwice(t *testing.T) {
	inWorld(t, retry.Options{}, func(w *world) {
		w.faults.Inject(faulty.Fault{Op: faulty.Write, After: 3})
		s, err := w.r.Stage(w.Context(), "f", remote.StageOptions{Owner: "o"})
		if err != nil {
			w.Fatal(err)
		}
		if n, err := io.WriteString(s, "new content"); n != 3 || !w.faults.Surfaced(err) {
			w.Errorf("Write = %d, %v", n, err)
		}
		if err := s.Keep(); err != nil {
			w.Error(err)
		}
		w.faults.Inject(faulty.Fault{Op: faulty.Stage})
		part := remote.StageOptions{Owner: "o", Base: remote.BasePart, Off: 3}
		if _, err := w.r.Stage(w.Context(), "f", part); !w.faults.Surfaced(err) {
			w.Errorf("taking over a part is repeated: %v", err)
		}
	})
}

func TestAPublishWhoseAnswerWasLostIsRecognised(t *testing.T) {
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for what, c := range map[string]struct {
		base      remote.Base
		off       int64
		meanwhile string // is stored by somebody else
		want      bool
	}{
		"it is there":                 {want: true},
		"with a beginning of its own": {base: remote.BaseFile, off: 3, want: true},
		"of unknown size":             {base: remote.BaseFile, off: remote.AtEnd},
		"another size":                {meanwhile: "longer than that"},
		"another time":                {meanwhile: "content"},
	} {
		inWorld(t, retry.Options{}, func(w *world) {
			r := retry.New(vanishing{remote.Forward{Remote: w.faults}}, retry.Options{})
			s, err := r.Stage(w.Context(), "f", remote.StageOptions{Owner: "o", Base: c.base, Off: c.off})
			if err == nil {
				_, err = io.WriteString(s, "new con")
			}
			if err != nil {
				w.Fatal(err)
			}
			w.faults.Inject(faulty.Fault{Op: faulty.Commit, Late: true})
			if c.meanwhile != "" {
				time.AfterFunc(time.Millisecond, func() { w.put("f", c.meanwhile) })
			}
			e, err := s.Commit(w.Context(), when)
			if c.want && (err != nil || !e.ModTime.Equal(when)) {
				w.Errorf("%s: %+v, %v", what, e, err)
			}
			if !c.want && (!w.faults.Surfaced(err) || errors.Is(err, remote.ErrNotExist)) {
				w.Errorf("%s: %v", what, err)
			}
		})
	}
}

// vanishing has stages that, published twice, no longer exist.
type vanishing struct{ remote.Forward }

func (r vanishing) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := r.Forward.Stage(ctx, name, o)
	return &once{Stage: s}, err
}

type once struct {
	remote.Stage
	published bool
}

func (s *once) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	if s.published {
		return remote.Entry{}, remote.ErrNotExist
	}
	s.published = true
	return s.Stage.Commit(ctx, modTime)
}
