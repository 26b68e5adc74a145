package remotetest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"ferry/remote"
)

// RunStage is what Run asks of the Stager, if there is one.
func RunStage(t *testing.T, open func(t *testing.T) remote.Remote) {
	s := newSuite(t, open)
	if _, ok := remote.AsStager(s.r); ok {
		runAll(t, open, stageTests())
		t.Run("Ends", func(t *testing.T) { runAll(t, open, stageEndTests()) })
		t.Run("Base", func(t *testing.T) { runAll(t, open, baseFileTests()) })
		if s.caps.NoParts {
			t.Run("NoParts", func(t *testing.T) { runAll(t, open, noPartTests()) })
		} else {
			t.Run("BasePart", func(t *testing.T) { runAll(t, open, basePartTests()) })
			t.Run("Part", func(t *testing.T) { runAll(t, open, partTests()) })
		}
		t.Run("Concurrent", func(t *testing.T) { runAll(t, open, stageConcurrentTests()) })
		return
	}
	if stager, ok := s.r.(remote.Stager); ok {
		_, err := stager.Stage(s.ctx, "f", remote.StageOptions{Owner: alice})
		s.fails(err, remote.ErrUnsupported)
	}
}

func stageTests() []test {
	return []test{
		{"nothing is visible to anybody until Commit", func(s *suite) {
			s.put("old", "old")
			for _, name := range []string{"old", "new"} {
				u := s.stage(name, remote.StageOptions{Owner: alice})
				u.write("content")
				s.holds("old", "old")
				s.gone("new")
				s.lists(".", "old")
				s.noPart(name, alice)
				s.noPart(name, bob)
				s.ok(u.Abort())
			}
		}},
		{"Commit makes the content visible", func(s *suite) {
			s.mkdir("d")
			u := s.stage("d/f", remote.StageOptions{Owner: alice})
			u.write("hello ")
			u.write("world")
			u.publish()
			s.holds("d/f", "hello world")
			s.lists("d", "f")
		}},
		{"Commit replaces an old file", func(s *suite) {
			s.put("f", "a longer old content")
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("new")
			s.holds("f", "a longer old content")
			u.publish()
			s.holds("f", "new")
			s.lists(".", "f")
		}},
		{"an empty file can be published", func(s *suite) {
			s.stage("f", remote.StageOptions{Owner: alice}).publish()
			s.holds("f", "")
		}},
		{"Commit forgets what the owner had left of that name", func(s *suite) {
			s.keepPart("f", alice, "old part")
			s.keepPart("f", bob, "of bob")
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("new")
			u.publish()
			s.noPart("f", alice)
			s.hasPart("f", bob, 6)
		}},
		{"Commit returns the entry", func(s *suite) {
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("hello")
			e := u.publish()
			want := s.stat("f")
			if e.Name != "f" || e.Size != 5 || e.Dir || e.Part != "" {
				s.Errorf("%+v", e)
			}
			if e.ID != 0 && e.ID != want.ID || e.Version != "" && e.Version != want.Version {
				s.Errorf("%+v, Stat says %+v", e, want)
			}
		}},
		{"Commit sets the modification time", func(s *suite) {
			when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("x")
			if _, err := u.Commit(s.ctx, when); err != nil {
				s.Fatal(err)
			}
			if got := s.stat("f").ModTime; s.caps.ModTime > 0 && !s.sameTime(got, when) {
				s.Errorf("%v became %v", when, got)
			}
		}},
		{"a replaced file keeps its permission bits", func(s *suite) {
			s.put("f", "old")
			if err := remote.SetMode(s.ctx, s.r, "f", 0o640); errors.Is(err, remote.ErrUnsupported) {
				return
			}
			for _, base := range []remote.Base{remote.BaseEmpty, remote.BaseFile} {
				u := s.stage("f", remote.StageOptions{Owner: alice, Base: base})
				u.write("new")
				u.publish()
				if got := s.stat("f").Mode; s.caps.Modes && got != 0o640 {
					s.Errorf("base %d: mode %v", base, got)
				}
			}
		}},
		{"a missing parent is ErrNotExist", func(s *suite) {
			if !s.caps.ImplicitDirs {
				s.stageFails("none/f", remote.StageOptions{Owner: alice}, remote.ErrNotExist)
			}
		}},
		{"a directory is ErrIsDir", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "x")
			s.stageFails("d", remote.StageOptions{Owner: alice}, remote.ErrIsDir)
			s.stageFails(".", remote.StageOptions{Owner: alice}, remote.ErrIsDir)
		}},
		{"a file that may not be changed is ErrPermission", func(s *suite) {
			s.put("f", "old")
			if err := remote.SetMode(s.ctx, s.r, "f", 0o444); errors.Is(err, remote.ErrUnsupported) {
				return
			}
			if s.stat("f").ReadOnly {
				s.stageFails("f", remote.StageOptions{Owner: alice}, remote.ErrPermission)
			} else {
				s.stage("f", remote.StageOptions{Owner: alice}).publish()
			}
		}},
		{"a name that the remote cannot hold is ErrBadName", func(s *suite) {
			if s.caps.MaxName > 0 {
				name := strings.Repeat("n", s.caps.MaxName+1)
				s.stageFails(name, remote.StageOptions{Owner: alice}, remote.ErrBadName)
			}
			for _, name := range oddNames() {
				u, err := s.stager().Stage(s.ctx, name, remote.StageOptions{Owner: alice})
				if errors.Is(err, remote.ErrBadName) {
					continue
				}
				s.ok(err)
				if err == nil {
					_, err = u.Commit(s.ctx, time.Time{})
					s.ok(err)
					s.holds(name, "")
				}
			}
		}},
		{"a name or an option that is not valid is ErrInvalid", func(s *suite) {
			s.put("f", "x")
			s.stageFails("../f", remote.StageOptions{Owner: alice}, remote.ErrInvalid)
			s.stageFails("f", remote.StageOptions{}, remote.ErrInvalid)
			s.stageFails("f", remote.StageOptions{Owner: "../x"}, remote.ErrInvalid)
			s.stageFails("f", remote.StageOptions{Owner: alice, Off: 1}, remote.ErrInvalid)
			s.stageFails("f", remote.StageOptions{Owner: alice, Base: remote.BaseFile, Off: -2}, remote.ErrInvalid)
		}},
		{"it ends with its context", func(s *suite) {
			ctx, cause := ended(s.ctx)
			_, err := s.stager().Stage(ctx, "f", remote.StageOptions{Owner: alice})
			s.fails(err, cause, context.Canceled)
		}},
		{"ReadFrom takes slice after slice", func(s *suite) {
			content := pattern(1 << 20)
			src := strings.NewReader(content)
			u := s.stage("f", remote.StageOptions{Owner: alice})
			for src.Len() > 0 {
				if _, err := io.Copy(u.Stage, io.LimitReader(src, 100_000)); err != nil {
					s.Fatal(err)
				}
			}
			u.publish()
			s.holds("f", content)
		}},
	}
}
