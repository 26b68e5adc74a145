// Package remotetest is the conformance suite of package remote: one subtest for each sentence of
// its contracts. Every driver and every decorator passes it.
//
// The files, in reading order: calls lead from a file to those after it.
//
//	decorator.go     RunDecorator; decorator_committed.go: what it asks of changes in doubt
//	remotetest.go    Run: what each remote passes
//	read.go          Stat, Open; list.go: List; put.go: Put; tree.go: Remove, Mkdir, Rmdir; move.go
//	abilities.go     the optional abilities; conditional.go: ConditionalPutter; watch.go: Watcher
//	stage.go         Stager; stage_base.go: what uploads continue; stage_end.go: how they end
//	names.go         names; concurrent.go: several calls at a time
//	upload.go        a staged upload of a test
//	committed.go     RunCommitted: changes in doubt; network.go: RunNetwork: broken connections
//	oddnames.go      object stores: RunOddNames; oddkeys.go: RunOddKeys; buckets.go: RunBuckets
//	answers.go       RunAnswers; portal.go, hostile.go, endless.go: bad servers; rename.go
//	omitting.go      ListOmitting; log.go: Log
//	suite.go         a test, and the remote of one
package remotetest

import (
	"strings"
	"testing"

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
		{"Conditional", conditionalTests()},
		{"Concurrent", concurrentTests()},
	} {
		t.Run(group.name, func(t *testing.T) { runAll(t, open, group.tests) })
	}
	t.Run("LargeList", func(t *testing.T) {
		runShared(t, open, func(s *suite) { s.putMany("d") }, largeListTests())
	})
	t.Run("Watch", func(t *testing.T) { RunWatch(t, open) })
	t.Run("Stage", func(t *testing.T) { RunStage(t, open) })
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
