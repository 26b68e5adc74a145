package remotetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ferry/remote"
)

// renames is how often two of them meet.
const renames = 20

// RunRename checks that what is stored while something is renamed is not lost: it is under the new
// name, or under the old one. It is for remotes whose far side checks the precondition of a
// removal, or renames in one step.
func RunRename(t *testing.T, open func(t *testing.T) remote.Remote) {
	runAll(t, open, []test{
		{"a file that is stored while its name is renamed is not lost", func(s *suite) {
			lost := 0
			for i := range renames {
				s.put("x", "first")
				last, err := s.storing("x", func() error { return remote.Move(s.ctx, s.r, "x", "y") })
				s.ok(err)
				if s.content("x") != last && s.content("y") != last {
					lost++
				}
				s.remove("y")
				s.put("x", fmt.Sprint("between ", i))
			}
			if lost > 0 {
				s.Errorf("%d of %d contents are lost", lost, renames)
			}
		}},
		{"a file that is stored while its directory is renamed is not lost", func(s *suite) {
			if !s.caps.MoveDir {
				return
			}
			lost := 0
			for i := range renames {
				dir := fmt.Sprintf("d%d", i)
				s.mkdir(dir)
				for n := range 5 {
					s.put(fmt.Sprintf("%s/f%d", dir, n), "first")
				}
				last, err := s.storing(dir+"/f2", func() error { return remote.Move(s.ctx, s.r, dir, dir+"-new") })
				if !errors.Is(err, remote.ErrChanged) { // which leaves the directory as it is
					s.ok(err)
				}
				if s.content(dir+"/f2") != last && s.content(dir+"-new/f2") != last {
					lost++
				}
			}
			if lost > 0 {
				s.Errorf("%d of %d contents are lost", lost, renames)
			}
		}},
	})
}

// storing stores name again and again while call runs, and returns the last content that was
// acknowledged.
func (s *suite) storing(name string, call func() error) (last string, err error) {
	last = s.get(name)
	done := make(chan error)
	go func() { done <- call() }()
	for n := 0; ; n++ {
		select {
		case err := <-done:
			return last, err
		default:
		}
		content := fmt.Sprintf("%s %d", name, n)
		_, err := s.r.Put(s.ctx, name, strings.NewReader(content), remote.PutOptions{})
		switch {
		case err == nil:
			last = content
		case s.caps.ImplicitDirs || !errors.Is(err, remote.ErrNotExist): // the directory is gone
			s.Errorf("Put(%q): %v", name, err)
		}
	}
}

// content reads a file, which may be missing.
func (s *suite) content(name string) string {
	content, err := s.read(name, 0, -1)
	if err != nil && !errors.Is(err, remote.ErrNotExist) {
		s.Errorf("reading %q: %v", name, err)
	}
	return content
}
