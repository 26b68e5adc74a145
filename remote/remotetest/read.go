package remotetest

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"time"

	"ferry/remote"
)

func statTests() []test {
	return []test{
		{"a file is described", func(s *suite) {
			start := time.Now()
			s.put("f.txt", "hello")
			e := s.stat("f.txt")
			if e.Name != "f.txt" || e.Size != 5 && e.Size != -1 || e.Dir || e.Part != "" || e.ReadOnly {
				s.Errorf("%+v", e)
			}
			if s.caps.Modes && e.Mode&0o400 == 0 {
				s.Errorf("mode %v", e.Mode)
			}
			if e.Mode&^0o777 != 0 {
				s.Errorf("mode %v has more than permission bits", e.Mode)
			}
			slack := time.Minute + s.caps.ModTime
			if s.caps.ModTime > 0 && (e.ModTime.Before(start.Add(-slack)) || e.ModTime.After(time.Now().Add(slack))) {
				s.Errorf("time %v", e.ModTime)
			}
		}},
		{"a directory is described", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "x")
			if e := s.stat("d"); e.Name != "d" || !e.Dir || e.Part != "" || e.ReadOnly {
				s.Errorf("%+v", e)
			}
		}},
		{"the root always exists", func(s *suite) {
			if e := s.stat("."); e.Name != "." || !e.Dir {
				s.Errorf("%+v", e)
			}
		}},
		{"the name is the last element", func(s *suite) {
			s.mkdir("d")
			s.mkdir("d/e")
			s.put("d/e/f", "x")
			if e := s.stat("d/e/f"); e.Name != "f" {
				s.Errorf("name %q", e.Name)
			}
		}},
		{"what is not there is ErrNotExist", func(s *suite) {
			s.gone("none")
			s.gone("none/none")
		}},
		{"what lies below a file is not there", func(s *suite) {
			s.put("f", "x")
			_, err := s.r.Stat(s.ctx, "f/g")
			s.fails(err, remote.ErrNotExist, remote.ErrNotDir)
		}},
		{"the version changes with the content", func(s *suite) {
			s.put("f", "one")
			before := s.stat("f").Version
			s.put("f", "two")
			if after := s.stat("f").Version; before != "" && after == before {
				s.Errorf("both are %q", before)
			}
			if again := s.stat("f").Version; again != s.stat("f").Version {
				s.Error("it changes without the content")
			}
		}},
		{"the ID follows the file under another name", func(s *suite) {
			s.put("f", "x")
			before := s.stat("f").ID
			if err := remote.Move(s.ctx, s.r, "f", "g"); err != nil {
				s.Fatal(err)
			}
			// Where files are renamed by copying them, the other one is another file.
			if after := s.stat("g").ID; s.caps.MoveDir && before != 0 && after != before {
				s.Errorf("%d became %d", before, after)
			}
		}},
		{"it ends with its context", func(s *suite) {
			ctx, cause := ended(s.ctx)
			_, err := s.r.Stat(ctx, ".")
			s.fails(err, cause, context.Canceled)
		}},
	}
}

func openTests() []test {
	const digits = "0123456789"
	return []test{
		{"it reads from off to the end", func(s *suite) {
			s.put("f", digits)
			s.reads("f", 0, -1, digits)
			s.reads("f", 3, -1, digits[3:])
			s.reads("f", 9, -1, "9")
		}},
		{"it reads n bytes", func(s *suite) {
			s.put("f", digits)
			s.reads("f", 0, 4, "0123")
			s.reads("f", 3, 4, "3456")
			s.reads("f", 3, 0, "")
			s.reads("f", 0, 10, digits)
		}},
		{"reading past the end is io.EOF", func(s *suite) {
			s.put("f", digits)
			s.reads("f", 8, 10, "89")
			s.reads("f", 10, -1, "")
			s.reads("f", 10, 5, "")
			s.reads("f", 1000, -1, "")
			s.reads("f", 1000, 5, "")
		}},
		{"there is nothing behind the end, however far", func(s *suite) {
			s.put("f", digits)
			for _, off := range []int64{1 << 31, 1 << 44, 1 << 53, 1 << 62, math.MaxInt64 - 1, math.MaxInt64} {
				for _, n := range []int64{-1, 0, 5, math.MaxInt64} {
					s.reads("f", off, n, "")
				}
			}
			s.reads("f", 8, math.MaxInt64, "89")
		}},
		{"an empty file is empty", func(s *suite) {
			s.put("f", "")
			s.reads("f", 0, -1, "")
			s.reads("f", 1, -1, "")
		}},
		{"a directory is ErrIsDir", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "x")
			for _, dir := range []string{".", "d"} {
				_, err := s.read(dir, 0, -1)
				s.fails(err, remote.ErrIsDir)
			}
		}},
		{"what is not there is ErrNotExist", func(s *suite) {
			_, err := s.read("none", 0, -1)
			s.fails(err, remote.ErrNotExist)
			_, err = s.read("none/none", 0, -1)
			s.fails(err, remote.ErrNotExist)
		}},
		{"ending the context makes Read fail", func(s *suite) {
			s.put("f", digits)
			ctx, cancel := context.WithCancel(s.ctx)
			f, err := s.r.Open(ctx, "f", 0, -1)
			if err != nil {
				s.Fatal(err)
			}
			defer f.Close()
			cancel()
			_, isFile := f.(*os.File)
			if _, err := io.ReadAll(f); !isFile && !errors.Is(err, context.Canceled) {
				s.Errorf("ReadAll: %v", err)
			}
		}},
		{"it ends with its context", func(s *suite) {
			s.put("f", digits)
			ctx, cause := ended(s.ctx)
			_, err := s.r.Open(ctx, "f", 0, -1)
			s.fails(err, cause, context.Canceled)
		}},
		{"a reader keeps what it began with when the file is replaced", func(s *suite) {
			s.put("f", digits)
			f, err := s.r.Open(s.ctx, "f", 0, -1)
			if err != nil {
				s.Fatal(err)
			}
			defer f.Close()
			s.put("f", "abc")
			b, err := io.ReadAll(f)
			s.ok(err)
			if string(b) != digits {
				s.Errorf("read %q", b)
			}
		}},
	}
}

// reads checks what Open(name, off, n) gives.
func (s *suite) reads(name string, off, n int64, want string) {
	s.Helper()
	got, err := s.read(name, off, n)
	if err != nil || got != want {
		s.Errorf("Open(%q, %d, %d) reads %q, %v; want %q", name, off, n, got, err, want)
	}
}
