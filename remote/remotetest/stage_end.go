package remotetest

import (
	"context"
	"io"
	"time"

	"ferry/remote"
)

func stageEndTests() []test {
	return []test{
		{"Keep keeps what was written as the part of its owner", func(s *suite) {
			s.mkdir("d")
			u := s.stage("d/f", remote.StageOptions{Owner: alice})
			u.write("hello")
			u.keep()
			s.hasPart("d/f", alice, 5)
			s.noPart("d/f", bob)
		}},
		{"what was kept is not a file", func(s *suite) {
			s.keepPart("f", alice, "hello")
			s.gone("f")
			_, err := s.read("f", 0, -1)
			s.fails(err, remote.ErrNotExist)
			s.fails(s.r.Remove(s.ctx, "f"), remote.ErrNotExist)
		}},
		{"what was kept leaves the published file alone", func(s *suite) {
			s.put("f", "old")
			s.keepPart("f", alice, "a longer part")
			s.holds("f", "old")
			s.hasPart("f", alice, 13)
		}},
		{"an empty one is discarded by Keep", func(s *suite) {
			s.stage("f", remote.StageOptions{Owner: alice}).keep()
			s.noPart("f", alice)
			s.lists(".", "")
		}},
		{"Abort forgets what was written", func(s *suite) {
			s.put("f", "old")
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("new")
			s.ok(u.Abort())
			s.holds("f", "old")
			s.noPart("f", alice)
			s.lists(".", "f")
		}},
		{"calls after Commit do nothing", func(s *suite) {
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("hello")
			u.publish()
			s.endAgain(u)
			s.holds("f", "hello")
			s.noPart("f", alice)
			s.lists(".", "f")
		}},
		{"calls after Keep do nothing", func(s *suite) {
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("hello")
			u.keep()
			s.endAgain(u)
			s.gone("f")
			s.hasPart("f", alice, 5)
		}},
		{"calls after Abort do nothing", func(s *suite) {
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("hello")
			s.ok(u.Abort())
			s.endAgain(u)
			s.gone("f")
			s.noPart("f", alice)
		}},
		{"what is written after the end goes nowhere", func(s *suite) {
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("hello")
			u.publish()
			if _, err := io.WriteString(u.Stage, "more"); err == nil {
				s.Error("Write succeeds")
			}
			s.holds("f", "hello")
		}},
		{"a Commit that fails leaves the stage open for Keep", func(s *suite) {
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("hello")
			s.publishFails(u)
			u.keep()
			s.hasPart("f", alice, 5)
		}},
		{"a Commit that fails leaves the stage open for Abort", func(s *suite) {
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("hello")
			s.publishFails(u)
			s.ok(u.Abort())
			s.noPart("f", alice)
		}},
		{"a Commit over what has become a directory fails", func(s *suite) {
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("hello")
			s.mkdir("f")
			s.put("f/inside", "x")
			_, err := u.Commit(s.ctx, time.Time{})
			s.fails(err, remote.ErrIsDir, remote.ErrExist)
			s.holds("f/inside", "x")
			s.ok(u.Abort())
		}},
		{"the last one published wins", func(s *suite) {
			one := s.stage("f", remote.StageOptions{Owner: alice})
			two := s.stage("f", remote.StageOptions{Owner: alice})
			three := s.stage("f", remote.StageOptions{Owner: bob})
			one.write("one")
			two.write("two two")
			three.write("three three three")
			two.publish()
			s.holds("f", "two two")
			three.publish()
			s.holds("f", "three three three")
			one.publish()
			s.holds("f", "one")
			s.lists(".", "f")
		}},
		{"the last one kept is kept", func(s *suite) {
			one := s.stage("f", remote.StageOptions{Owner: alice})
			two := s.stage("f", remote.StageOptions{Owner: alice})
			three := s.stage("f", remote.StageOptions{Owner: alice})
			one.write("1")
			two.write("22")
			three.write("333")
			three.keep()
			s.hasPart("f", alice, 3)
			one.keep()
			s.hasPart("f", alice, 1)
			two.keep()
			s.hasPart("f", alice, 2)
		}},
		{"an upload leaves what others kept and published, and its owner kept after it", func(s *suite) {
			s.keepPart("f", alice, "kept")
			s.keepPart("f", bob, "kept by bob")
			u := s.stage("f", remote.StageOptions{Owner: alice})
			u.write("whole")
			s.hasPart("f", alice, 4)
			u.publish()
			s.holds("f", "whole")
			s.hasPart("f", bob, 11)
			s.keepPart("f", alice, "more")
			u = s.stage("f", remote.StageOptions{Owner: alice})
			u.write("again")
			s.ok(u.Abort())
			s.hasPart("f", alice, 4)
			s.holds("f", "whole")
		}},
	}
}

// endAgain makes every call that could end u.
func (s *suite) endAgain(u *upload) {
	s.Helper()
	_, err := u.Commit(s.ctx, time.Time{})
	s.ok(err)
	s.ok(u.Keep())
	s.ok(u.Abort())
}

// publishFails lets a Commit fail by its context.
func (s *suite) publishFails(u *upload) {
	s.Helper()
	ctx, cause := ended(s.ctx)
	_, err := u.Commit(ctx, time.Time{})
	s.fails(err, cause, context.Canceled)
	s.gone("f")
}
