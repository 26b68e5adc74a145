package remotetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing/iotest"
	"time"

	"ferry/remote"
)

func putTests() []test {
	return []test{
		{"it stores the body", func(s *suite) {
			for name, content := range map[string]string{"empty": "", "short": "hello", "long": pattern(3<<20 + 7)} {
				s.put(name, content)
				s.holds(name, content)
			}
		}},
		{"a body may come in any pieces", func(s *suite) {
			content := pattern(10_000)
			for name, body := range map[string]io.Reader{
				"one byte":  iotest.OneByteReader(strings.NewReader(content)),
				"halves":    iotest.HalfReader(strings.NewReader(content)),
				"data+EOF":  iotest.DataErrReader(strings.NewReader(content)),
				"in memory": bytes.NewReader([]byte(content)),
			} {
				_, err := s.r.Put(s.ctx, name, body, remote.PutOptions{})
				s.ok(err)
				s.holds(name, content)
			}
		}},
		{"the size may be announced", func(s *suite) {
			_, err := s.r.Put(s.ctx, "f", strings.NewReader("hello"), remote.PutOptions{Size: 5})
			s.ok(err)
			s.holds("f", "hello")
		}},
		{"it may take over the facts of a file, of itself or of one that is not there", func(s *suite) {
			s.put("g", "another")
			for _, of := range []string{"g", "f", "none", "none/none"} {
				for _, content := range []string{"x", pattern(3<<20 + 7)} {
					e, err := s.r.Put(s.ctx, "f", strings.NewReader(content), remote.PutOptions{FactsOf: of})
					s.ok(err)
					if e.Name != "f" {
						s.Errorf("%+v", e)
					}
					s.holds("f", content)
				}
			}
			s.holds("g", "another")
		}},
		{"it replaces a file", func(s *suite) {
			s.put("f", pattern(100_000))
			s.put("f", "short")
			s.holds("f", "short")
			s.lists(".", "f")
		}},
		{"its entry is what Stat describes", func(s *suite) {
			e := s.put("f", "hello")
			want := s.stat("f")
			if e.Name != "f" || e.Size != 5 || e.Dir || e.Part != "" {
				s.Errorf("%+v", e)
			}
			if e.Version != "" && want.Version != e.Version || e.ID != 0 && want.ID != e.ID {
				s.Errorf("%+v, Stat says %+v", e, want)
			}
		}},
		{"it keeps the modification time", func(s *suite) {
			when := time.Date(2001, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
			_, err := s.r.Put(s.ctx, "f", strings.NewReader("x"), remote.PutOptions{ModTime: when})
			s.ok(err)
			if got := s.stat("f").ModTime; s.caps.ModTime > 0 && !s.sameTime(got, when) {
				s.Errorf("%v became %v", when, got)
			}
		}},
		{"a replaced file keeps its permission bits", func(s *suite) {
			s.put("f", "old")
			if err := remote.SetMode(s.ctx, s.r, "f", 0o640); errors.Is(err, remote.ErrUnsupported) {
				if s.caps.Modes {
					s.Error("the remote keeps modes but cannot set them")
				}
				return
			}
			s.put("f", "new")
			if got := s.stat("f").Mode; s.caps.Modes && got != 0o640 {
				s.Errorf("mode %v", got)
			}
		}},
		{"a missing parent is made only where directories are implicit", func(s *suite) {
			_, err := s.r.Put(s.ctx, "a/b/c", strings.NewReader("x"), remote.PutOptions{})
			if s.caps.ImplicitDirs {
				s.ok(err)
				s.holds("a/b/c", "x")
				return
			}
			s.fails(err, remote.ErrNotExist)
			s.lists(".", "")
		}},
		{"nothing comes below a file", func(s *suite) {
			s.put("f", "x")
			s.put("g", "y")
			_, putErr := s.r.Put(s.ctx, "f/a", strings.NewReader("x"), remote.PutOptions{})
			for _, err := range []error{
				putErr, s.r.Mkdir(s.ctx, "f/a"), s.r.Mkdir(s.ctx, "f/a/b"), remote.Move(s.ctx, s.r, "g", "f/a"),
			} {
				if !errors.Is(err, remote.ErrNotDir) && !errors.Is(err, remote.ErrNotExist) {
					s.Errorf("got %v", err)
				}
			}
			s.holds("f", "x")
			s.holds("g", "y")
			s.lists(".", "f g")
		}},
		{"a directory of that name is ErrIsDir", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "x")
			for _, dir := range []string{".", "d"} {
				_, err := s.r.Put(s.ctx, dir, strings.NewReader("x"), remote.PutOptions{})
				s.fails(err, remote.ErrIsDir)
			}
			s.holds("d/f", "x")
		}},
		{"nothing shows before it returns", func(s *suite) {
			s.put("old", "old")
			looks := 0
			look := readFunc(func(p []byte) (int, error) {
				looks++
				s.holds("old", "old")
				s.gone("new")
				s.lists(".", "old")
				if looks > 5 {
					return 0, io.EOF
				}
				return copy(p, "part"), nil
			})
			for _, name := range []string{"old", "new"} {
				looks = 0
				_, err := s.r.Put(s.ctx, name, look, remote.PutOptions{})
				s.ok(err)
				s.holds(name, strings.Repeat("part", 5))
				s.remove(name)
				s.put("old", "old")
			}
		}},
	}
}

func putFailTests() []test {
	failing := errors.New("the body failed")
	return []test{
		{"a body that fails leaves the old content", func(s *suite) {
			for _, after := range []int{0, 1, 1000, 300_000} {
				s.putFails(s.ctx, remote.PutOptions{}, failing, func() io.Reader {
					return io.MultiReader(strings.NewReader(pattern(after)), iotest.ErrReader(failing))
				})
			}
		}},
		{"a body that is cut off leaves the old content", func(s *suite) {
			s.putFails(s.ctx, remote.PutOptions{}, io.ErrUnexpectedEOF, func() io.Reader {
				return io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(io.ErrUnexpectedEOF))
			})
		}},
		{"a body shorter than announced is ErrSize", func(s *suite) {
			s.putFails(s.ctx, remote.PutOptions{Size: 4}, remote.ErrSize, func() io.Reader {
				return strings.NewReader("abc")
			})
		}},
		{"a body longer than announced is ErrSize", func(s *suite) {
			s.putFails(s.ctx, remote.PutOptions{Size: 4}, remote.ErrSize, func() io.Reader {
				return strings.NewReader("abcde")
			})
		}},
		{"ending the context leaves the old content", func(s *suite) {
			for _, after := range []int{0, 1000, 300_000} {
				ctx, cancel := context.WithCancel(s.ctx)
				s.putFails(ctx, remote.PutOptions{}, context.Canceled, func() io.Reader {
					end := readFunc(func([]byte) (int, error) {
						cancel()
						return 0, io.EOF
					})
					return io.MultiReader(strings.NewReader(pattern(after)), end, strings.NewReader(pattern(1<<20)))
				})
				cancel()
			}
		}},
		{"nothing is stored when the context has ended", func(s *suite) {
			ctx, cancel := context.WithCancel(s.ctx)
			cancel()
			s.putFails(ctx, remote.PutOptions{}, context.Canceled, func() io.Reader { return strings.NewReader("abc") })
		}},
	}
}

// putFails checks that a Put of body fails with want, over an old file and without one, and leaves
// no trace.
func (s *suite) putFails(ctx context.Context, o remote.PutOptions, want error, body func() io.Reader) {
	s.Helper()
	s.put("old", "old content")
	for _, name := range []string{"old", "new"} {
		_, err := s.r.Put(ctx, name, body(), o)
		s.fails(err, want)
	}
	s.holds("old", "old content")
	s.gone("new")
	s.lists(".", "old")
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
