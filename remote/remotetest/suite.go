package remotetest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
)

// A test is one sentence of a contract.
type test struct {
	sentence string
	run      func(s *suite)
}

func runAll(t *testing.T, open func(t *testing.T) remote.Remote, tests []test) {
	for _, test := range tests {
		t.Run(test.sentence, func(t *testing.T) { test.run(newSuite(t, open)) })
	}
}

// runShared runs tests one after the other on one remote, which prepare fills.
func runShared(t *testing.T, open func(t *testing.T) remote.Remote, prepare func(s *suite), tests []test) {
	shared := newSuite(t, open)
	prepare(shared)
	for _, test := range tests {
		t.Run(test.sentence, func(t *testing.T) {
			test.run(&suite{T: t, r: shared.r, ctx: t.Context(), caps: shared.caps})
		})
	}
}

// A suite is one test's remote, with what tests do all the time. Its methods end the test when
// something fails that the test does not ask about.
type suite struct {
	*testing.T
	r    remote.Remote
	ctx  context.Context
	caps remote.Caps
}

func newSuite(t *testing.T, open func(t *testing.T) remote.Remote) *suite {
	r := open(t)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return &suite{T: t, r: r, ctx: t.Context(), caps: r.Info().Caps}
}

// put stores content as name.
func (s *suite) put(name, content string) remote.Entry {
	s.Helper()
	e, err := s.r.Put(s.ctx, name, strings.NewReader(content), remote.PutOptions{})
	if err != nil {
		s.Fatalf("Put(%q): %v", name, err)
	}
	return e
}

// get reads all of name.
func (s *suite) get(name string) string {
	s.Helper()
	content, err := s.read(name, 0, -1)
	if err != nil {
		s.Fatalf("reading %q: %v", name, err)
	}
	return content
}

// read reads part of name.
func (s *suite) read(name string, off, n int64) (string, error) {
	f, err := s.r.Open(s.ctx, name, off, n)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

func (s *suite) mkdir(dir string) {
	s.Helper()
	if err := s.r.Mkdir(s.ctx, dir); err != nil {
		s.Fatalf("Mkdir(%q): %v", dir, err)
	}
}

func (s *suite) remove(name string) {
	s.Helper()
	if err := s.r.Remove(s.ctx, name); err != nil {
		s.Fatalf("Remove(%q): %v", name, err)
	}
}

func (s *suite) stat(name string) remote.Entry {
	s.Helper()
	e, err := s.r.Stat(s.ctx, name)
	if err != nil {
		s.Fatalf("Stat(%q): %v", name, err)
	}
	return e
}

// list returns the entries of dir by name, and the owners of parts as owner + ":" + name.
func (s *suite) list(dir string) map[string]remote.Entry {
	s.Helper()
	entries := map[string]remote.Entry{}
	for e, err := range s.r.List(s.ctx, dir) {
		if err != nil {
			s.Fatalf("List(%q): %v", dir, err)
		}
		key := e.Name
		if e.Part != "" {
			key = e.Part + ":" + e.Name
		}
		if _, ok := entries[key]; ok {
			s.Errorf("List(%q) yields %q twice", dir, key)
		}
		entries[key] = e
	}
	return entries
}

// lists checks the names in dir, given sorted and separated by blanks.
func (s *suite) lists(dir, want string) {
	s.Helper()
	got := strings.Join(slices.Sorted(maps.Keys(s.list(dir))), " ")
	if got != want {
		s.Errorf("List(%q) yields %q, want %q", dir, got, want)
	}
}

// listErr returns the error that ends the listing of dir.
func (s *suite) listErr(ctx context.Context, dir string) error {
	s.Helper()
	var last error
	for _, err := range s.r.List(ctx, dir) {
		if last != nil {
			s.Errorf("List(%q) goes on after an error", dir)
		}
		last = err
	}
	return last
}

// holds checks that name has content.
func (s *suite) holds(name, content string) {
	s.Helper()
	if got := s.get(name); got != content {
		s.Errorf("%q holds %s, want %s", name, short(got), short(content))
	}
	if e := s.stat(name); e.Size != -1 && e.Size != int64(len(content)) {
		s.Errorf("Stat(%q).Size = %d, want %d", name, e.Size, len(content))
	}
}

// gone checks that name does not exist.
func (s *suite) gone(name string) {
	s.Helper()
	_, err := s.r.Stat(s.ctx, name)
	s.fails(err, remote.ErrNotExist)
}

// fails checks that err is one of wanted, in the form that every error has.
func (s *suite) fails(err error, wanted ...error) {
	s.Helper()
	var pe *fs.PathError
	if err != nil && !errors.As(err, &pe) {
		s.Errorf("%v (%T) is no *fs.PathError", err, err)
	}
	for _, want := range wanted {
		if errors.Is(err, want) {
			return
		}
	}
	s.Errorf("error is %v, want %v", err, wanted)
}

// ok checks that err is nil.
func (s *suite) ok(err error) {
	s.Helper()
	if err != nil {
		s.Errorf("unexpected error: %v", err)
	}
}

// sameTime reports whether got is want to the precision that the remote keeps.
func (s *suite) sameTime(got, want time.Time) bool {
	return got.Sub(want).Abs() < max(s.caps.ModTime, time.Nanosecond)
}

// ended returns a context that has ended, and why.
func ended(parent context.Context) (context.Context, error) {
	cause := errors.New("the test ended it")
	ctx, cancel := context.WithCancelCause(parent)
	cancel(cause)
	return ctx, cause
}

func short(content string) string {
	if len(content) > 40 {
		return content[:20] + "..." + content[len(content)-20:]
	}
	return content
}

// pattern returns n bytes that tell where in the content they are.
func pattern(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + (i+i/26)%26)
	}
	return string(b)
}
