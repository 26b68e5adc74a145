// Package remotetest is the conformance suite of package remote: one subtest for each sentence of
// its contracts. Every driver and every decorator passes it.
package remotetest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"ferry/remote"
)

// Run checks the remotes that open makes. Each call must give an empty one that shares nothing with
// those before; Run closes it. What is expected follows the remote's Caps and optional interfaces.
func Run(t *testing.T, open func(t *testing.T) remote.Remote) {
	readOnly := false
	t.Run("Info", func(t *testing.T) {
		s := newSuite(t, open)
		readOnly = s.caps.ReadOnly
		runAll(t, open, infoTests())
	})
	if readOnly {
		t.Run("ReadOnly", func(t *testing.T) { runAll(t, open, readOnlyTests()) })
		return
	}
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"Stat", statTests()},
		{"List", listTests()},
		{"Open", openTests()},
		{"Put", putTests()},
		{"PutFails", putFailTests()},
		{"Remove", removeTests()},
		{"Mkdir", mkdirTests()},
		{"Rmdir", rmdirTests()},
		{"Names", nameTests()},
		{"Move", moveTests()},
		{"Abilities", abilityTests()},
		{"Concurrent", concurrentTests()},
	} {
		t.Run(group.name, func(t *testing.T) { runAll(t, open, group.tests) })
	}
	t.Run("LargeList", func(t *testing.T) {
		runShared(t, open, func(s *suite) { s.putMany("d") }, largeListTests())
	})
	t.Run("Watch", func(t *testing.T) { RunWatch(t, open) })
	t.Run("Stage", func(t *testing.T) { runStage(t, open) })
}

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

func short(content string) string {
	if len(content) > 40 {
		return content[:20] + "..." + content[len(content)-20:]
	}
	return content
}

func infoTests() []test {
	return []test{
		{"its result never changes", func(s *suite) {
			before := s.r.Info()
			if before.Name == "" {
				s.Error("the name is empty")
			}
			_, err := s.r.Stat(s.ctx, ".")
			s.ok(err)
			if after := s.r.Info(); after != before {
				s.Errorf("%+v became %+v", before, after)
			}
		}},
	}
}

func readOnlyTests() []test {
	return []test{
		{"nothing can be changed", func(s *suite) {
			_, err := s.r.Put(s.ctx, "a", strings.NewReader("x"), remote.PutOptions{})
			s.fails(err, remote.ErrPermission)
			s.fails(s.r.Mkdir(s.ctx, "d"), remote.ErrPermission)
			s.fails(s.r.Remove(s.ctx, "a"), remote.ErrPermission)
			s.fails(s.r.Rmdir(s.ctx, "d"), remote.ErrPermission)
		}},
		{"the root exists", func(s *suite) {
			if e := s.stat("."); !e.Dir {
				s.Error("it is no directory")
			}
		}},
	}
}
