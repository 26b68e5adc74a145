package remotetest

import (
	"io"
	"time"

	"ferry/remote"
)

// alice and bob are owners of staged uploads.
const (
	alice = "alice01"
	bob   = "bob02"
)

// An upload is a stage whose failures end the test.
type upload struct {
	remote.Stage
	s *suite
}

// stager returns the remote as what this part of the suite is about.
func (s *suite) stager() remote.Stager {
	stager, ok := remote.AsStager(s.r)
	if !ok {
		s.Fatal("the remote has ceased to be a Stager")
	}
	return stager
}

func (s *suite) stage(name string, o remote.StageOptions) *upload {
	s.Helper()
	stage, err := s.stager().Stage(s.ctx, name, o)
	if err != nil {
		s.Fatalf("Stage(%q, %+v): %v", name, o, err)
	}
	// However the test ends, nothing stays open.
	s.Cleanup(func() { _ = stage.Abort() })
	return &upload{stage, s}
}

func (u *upload) write(content string) {
	u.s.Helper()
	if n, err := io.WriteString(u.Stage, content); err != nil || n != len(content) {
		u.s.Fatalf("Write: %d, %v", n, err)
	}
}

func (u *upload) publish() remote.Entry {
	u.s.Helper()
	e, err := u.Commit(u.s.ctx, time.Time{})
	if err != nil {
		u.s.Fatalf("Commit: %v", err)
	}
	return e
}

func (u *upload) keep() {
	u.s.Helper()
	if err := u.Keep(); err != nil {
		u.s.Fatalf("Keep: %v", err)
	}
}

// keepPart leaves a part of name.
func (s *suite) keepPart(name, owner, content string) {
	s.Helper()
	u := s.stage(name, remote.StageOptions{Owner: owner})
	u.write(content)
	u.keep()
}

func (s *suite) stageFails(name string, o remote.StageOptions, want error) {
	s.Helper()
	u, err := s.stager().Stage(s.ctx, name, o)
	if err == nil {
		_ = u.Abort()
	}
	s.fails(err, want)
}

// hasPart checks that owner left size bytes of name, or that nothing was kept of them where nothing
// is.
func (s *suite) hasPart(name, owner string, size int) {
	s.Helper()
	if s.caps.NoParts {
		s.noPart(name, owner)
		return
	}
	e, err := s.stager().Part(s.ctx, name, owner)
	if err != nil {
		s.Errorf("Part(%q, %q): %v", name, owner, err)
		return
	}
	if _, base := remote.Split(name); e.Name != base || e.Size != int64(size) || e.Part != owner || e.Dir {
		s.Errorf("Part(%q, %q) = %+v, want %d bytes", name, owner, e, size)
	}
}

func (s *suite) noPart(name, owner string) {
	s.Helper()
	_, err := s.stager().Part(s.ctx, name, owner)
	s.fails(err, remote.ErrNotExist)
}
