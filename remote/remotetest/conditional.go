package remotetest

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"ferry/remote"
)

// conditionalTests are those of a ConditionalPutter. A remote that is none passes them.
func conditionalTests() []test {
	long := pattern(6 << 20) // more than one part of an object store
	return []test{
		{"PutIf stores the first file of its name", func(s *suite) {
			for _, content := range []string{"hello", long} {
				e, err := s.putIf("f", content, "")
				if none(err) {
					return
				}
				s.ok(err)
				if e.Name != "f" || e.Size != int64(len(content)) {
					s.Errorf("%+v", e)
				}
				s.holds("f", content)
				_, err = s.putIf("f", "other", "")
				s.fails(err, remote.ErrChanged)
				s.holds("f", content)
				s.remove("f")
			}
		}},
		{"PutIf replaces the version that it names", func(s *suite) {
			for _, content := range []string{"hello", long} {
				s.put("f", "old")
				before := s.stat("f").Version
				if before == "" {
					return // such a remote has no versions, and is none
				}
				e, err := s.putIf("f", content, before)
				if none(err) {
					return
				}
				s.ok(err)
				s.holds("f", content)
				if e.Version != s.stat("f").Version && len(content) < 1<<20 { // some learn that of parts later
					s.Errorf("%+v, Stat says %+v", e, s.stat("f"))
				}
			}
		}},
		{"PutIf leaves what has come since", func(s *suite) {
			for _, content := range []string{"hello", long} {
				s.put("f", "old")
				before := s.stat("f").Version
				s.put("f", "something newer")
				_, err := s.putIf("f", content, before)
				if none(err) {
					return
				}
				s.fails(err, remote.ErrChanged)
				s.holds("f", "something newer")
				s.remove("f")
				_, err = s.putIf("f", content, before)
				s.fails(err, remote.ErrChanged)
				s.gone("f")
				s.lists(".", "")
			}
		}},
		{"PutIf refuses what Put refuses", func(s *suite) {
			s.put("g", "x")
			if _, err := s.putIf("f", "x", ""); none(err) {
				return
			}
			s.mkdir("d")
			s.put("d/f", "y")
			_, err := s.putIf("d", "x", "")
			s.fails(err, remote.ErrIsDir)
			_, err = s.putIf(".", "x", "")
			s.fails(err, remote.ErrIsDir)
			_, err = s.putIf("../f", "x", "")
			s.fails(err, remote.ErrInvalid)
			_, err = s.putIf("g/f", "x", "")
			s.fails(err, remote.ErrNotDir, remote.ErrNotExist)
			_, err = remote.PutIf(s.ctx, s.r, "h", strings.NewReader("abc"), "", remote.PutOptions{Size: 4})
			s.fails(err, remote.ErrSize)
			s.gone("h")
			s.holds("d/f", "y")
		}},
		{"of several PutIf at a time one succeeds", oneSucceeds},
		{"a stage that is to be New does not replace a file", func(s *suite) {
			st, ok := s.conditionalStage(remote.StageOptions{Owner: alice, New: true}, "mine")
			if !ok {
				return
			}
			s.put("f", "theirs")
			_, err := st.Commit(s.ctx, time.Time{})
			s.fails(err, remote.ErrExist)
			s.holds("f", "theirs")
			s.ok(st.Abort())
			s.remove("f")
			st, _ = s.conditionalStage(remote.StageOptions{Owner: alice, New: true}, "mine")
			_, err = st.Commit(s.ctx, time.Time{})
			s.ok(err)
			s.holds("f", "mine")
		}},
		{"a stage that continues a file leaves what has come since", func(s *suite) {
			s.put("f", "one")
			o := remote.StageOptions{Owner: alice, Base: remote.BaseFile, Off: remote.AtEnd, File: s.stat("f")}
			st, ok := s.conditionalStage(o, " two")
			if !ok || o.File.Version == "" {
				return
			}
			s.put("f", "theirs")
			_, err := st.Commit(s.ctx, time.Time{})
			s.fails(err, remote.ErrChanged)
			s.holds("f", "theirs")
			s.ok(st.Abort())
			o.File = s.stat("f")
			st, _ = s.conditionalStage(o, ", continued")
			_, err = st.Commit(s.ctx, time.Time{})
			s.ok(err)
			s.holds("f", "theirs, continued")
		}},
	}
}

// putIf stores content as name on a precondition.
func (s *suite) putIf(name, content, version string) (remote.Entry, error) {
	return remote.PutIf(s.ctx, s.r, name, strings.NewReader(content), version, remote.PutOptions{Size: int64(len(content))})
}

// none reports whether err says that the remote is no ConditionalPutter.
func none(err error) bool { return errors.Is(err, remote.ErrUnsupported) }

// conditionalStage begins an upload of f, and is not ok where stages have no preconditions.
func (s *suite) conditionalStage(o remote.StageOptions, content string) (remote.Stage, bool) {
	s.Helper()
	stager, ok := remote.AsStager(s.r)
	if _, err := s.putIf("able", "x", ""); !ok || none(err) {
		return nil, false
	}
	s.remove("able")
	st, err := stager.Stage(s.ctx, "f", o)
	if err != nil {
		s.Fatal(err)
	}
	_, err = io.WriteString(st, content)
	s.ok(err)
	return st, true
}

// oneSucceeds lets several store one name at a time, which is new at first and then of one version.
func oneSucceeds(s *suite) {
	before := ""
	for range 3 {
		var all sync.WaitGroup
		var mu sync.Mutex
		won := map[string]bool{}
		able := true
		for n := range 4 {
			content := strconv.Itoa(n) + " of " + before
			all.Go(func() {
				_, err := s.putIf("f", content, before)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won[content] = true
				case none(err):
					able = false
				case !errors.Is(err, remote.ErrChanged):
					s.Error(err)
				}
			})
		}
		all.Wait()
		if !able {
			return
		}
		if len(won) != 1 || !won[s.get("f")] {
			s.Errorf("%d have stored it, it holds %q", len(won), s.get("f"))
		}
		before = s.stat("f").Version
	}
}
