package vfs

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/breaker"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/writeback"
)

// An absence is what a client does while the remote is silent, and what the remote has when it is
// back.
type absence struct {
	name  string
	steps func(q *quiet)
	seen  []string // while it is silent: names, directories with a slash
	there []string // afterwards: name=content
}

const contentA, contentB = "content of d/a", "content of d/b"

func absences() []absence {
	return []absence{
		{"a deletion", func(q *quiet) { q.remove("d/a") },
			[]string{"d/", "d/b", "d/empty/"}, []string{"d/", "d/b=" + contentB, "d/empty/"}},
		{"a deletion, and a file of that name", func(q *quiet) { q.remove("d/a"); q.store("d/a", "new") },
			[]string{"d/", "d/a", "d/b", "d/empty/"}, []string{"d/", "d/a=new", "d/b=" + contentB, "d/empty/"}},
		{"a rename", func(q *quiet) { q.rename("d/a", "c") },
			[]string{"c", "d/", "d/b", "d/empty/"}, []string{"c=" + contentA, "d/", "d/b=" + contentB, "d/empty/"}},
		{"a rename over a file", func(q *quiet) { q.rename("d/a", "d/b") },
			[]string{"d/", "d/b", "d/empty/"}, []string{"d/", "d/b=" + contentA, "d/empty/"}},
		{"a rename over a file that waits", func(q *quiet) { q.store("c", "new"); q.rename("d/a", "c") },
			[]string{"c", "d/", "d/b", "d/empty/"}, []string{"c=" + contentA, "d/", "d/b=" + contentB, "d/empty/"}},
		{"a rename, and a file of the old name", func(q *quiet) { q.rename("d/a", "c"); q.store("d/a", "new") },
			[]string{"c", "d/", "d/a", "d/b", "d/empty/"}, []string{"c=" + contentA, "d/", "d/a=new", "d/b=" + contentB, "d/empty/"}},
		{"a rename, and a file of the new name", func(q *quiet) { q.rename("d/a", "c"); q.store("c", "new") },
			[]string{"c", "d/", "d/b", "d/empty/"}, []string{"c=new", "d/", "d/b=" + contentB, "d/empty/"}},
		{"a rename, and a deletion", func(q *quiet) { q.rename("d/a", "c"); q.remove("c") },
			[]string{"d/", "d/b", "d/empty/"}, []string{"d/", "d/b=" + contentB, "d/empty/"}},
		{"a rename over a file, and a deletion", func(q *quiet) { q.rename("d/a", "d/b"); q.remove("d/b") },
			[]string{"d/", "d/empty/"}, []string{"d/", "d/empty/"}},
		{"a chain of renames", func(q *quiet) { q.rename("d/a", "c"); q.rename("c", "e"); q.rename("e", "f") },
			[]string{"d/", "d/b", "d/empty/", "f"}, []string{"d/", "d/b=" + contentB, "d/empty/", "f=" + contentA}},
		{"there and back", func(q *quiet) { q.rename("d/a", "c"); q.rename("c", "d/a") },
			[]string{"d/", "d/a", "d/b", "d/empty/"}, []string{"d/", "d/a=" + contentA, "d/b=" + contentB, "d/empty/"}},
		{"two files swap their names", func(q *quiet) { q.rename("d/a", "t"); q.rename("d/b", "d/a"); q.rename("t", "d/b") },
			[]string{"d/", "d/a", "d/b", "d/empty/"}, []string{"d/", "d/a=" + contentB, "d/b=" + contentA, "d/empty/"}},
		{"a chain, with a file in each place", func(q *quiet) {
			q.rename("d/a", "c")
			q.store("d/a", "one")
			q.rename("c", "e")
			q.store("c", "two")
			q.rename("d/a", "d/b")
		}, []string{"c", "d/", "d/b", "d/empty/", "e"}, []string{"c=two", "d/", "d/b=one", "d/empty/", "e=" + contentA}},
		{"a rename onto what was renamed away", func(q *quiet) { q.rename("d/a", "c"); q.rename("d/b", "d/a"); q.remove("c") },
			[]string{"d/", "d/a", "d/empty/"}, []string{"d/", "d/a=" + contentB, "d/empty/"}},
		{"a directory, and a rename into it", func(q *quiet) { q.mkdir("made"); q.rename("d/a", "made/a"); q.store("made/b", "b") },
			[]string{"d/", "d/b", "d/empty/", "made/", "made/a", "made/b"},
			[]string{"d/", "d/b=" + contentB, "d/empty/", "made/", "made/a=" + contentA, "made/b=b"}},
		{"a directory that is removed", func(q *quiet) { q.rmdir("d/empty") },
			[]string{"d/", "d/a", "d/b"}, []string{"d/", "d/a=" + contentA, "d/b=" + contentB}},
		{"a directory that is removed and made again", func(q *quiet) { q.rmdir("d/empty"); q.mkdir("d/empty"); q.store("d/empty/f", "f") },
			[]string{"d/", "d/a", "d/b", "d/empty/", "d/empty/f"},
			[]string{"d/", "d/a=" + contentA, "d/b=" + contentB, "d/empty/", "d/empty/f=f"}},
		{"a tree that is removed", func(q *quiet) { q.remove("d/a"); q.rename("d/b", "b"); q.rmdir("d/empty"); q.rmdir("d") },
			[]string{"b"}, []string{"b=" + contentB}},
		{"a tree that is removed, and a file in the place of what was renamed out of it", func(q *quiet) {
			q.rename("d/a", "c")
			q.remove("d/b")
			q.rmdir("d/empty")
			q.rmdir("d")
			q.store("c", "new")
		}, []string{"c"}, []string{"c=new"}},
		{"a tree that is removed, and a deletion of what was renamed out of it", func(q *quiet) {
			q.rename("d/a", "c")
			q.remove("d/b")
			q.rmdir("d/empty")
			q.rmdir("d")
			q.remove("c")
		}, nil, nil},
		{"a tree that is removed, and made again for a file that replaces what was renamed out of it", func(q *quiet) {
			q.rename("d/a", "c")
			q.remove("d/b")
			q.rmdir("d/empty")
			q.rmdir("d")
			q.mkdir("d")
			q.rename("c", "d/c")
			q.store("d/c", "new")
		}, []string{"d/", "d/c"}, []string{"d/", "d/c=new"}},
		{"two directories that are removed, one made again, and a file that was renamed out of them replaced", func(q *quiet) {
			q.rename("d/a", "d/empty/a")
			q.remove("d/b")
			q.rename("d/empty/a", "c")
			q.rmdir("d/empty")
			q.rmdir("d")
			q.mkdir("d")
			q.store("c", "new")
		}, []string{"c", "d/"}, []string{"c=new", "d/"}},
		{"a tree that is removed, and made again", func(q *quiet) {
			q.remove("d/a")
			q.remove("d/b")
			q.rmdir("d/empty")
			q.rmdir("d")
			q.mkdir("d")
			q.store("d/a", "new")
		}, []string{"d/", "d/a"}, []string{"d/", "d/a=new"}},
		{"a directory that is made and removed", func(q *quiet) { q.mkdir("made"); q.rmdir("made") },
			[]string{"d/", "d/a", "d/b", "d/empty/"}, []string{"d/", "d/a=" + contentA, "d/b=" + contentB, "d/empty/"}},
	}
}

func (q *quiet) remove(name string)     { q.t.Helper(); q.ok(q.Remove(q.t.Context(), name)) }
func (q *quiet) rename(from, to string) { q.t.Helper(); q.ok(q.Rename(q.t.Context(), from, to)) }
func (q *quiet) mkdir(dir string)       { q.t.Helper(); q.ok(q.Mkdir(q.t.Context(), dir)) }
func (q *quiet) rmdir(dir string)       { q.t.Helper(); q.ok(q.Rmdir(q.t.Context(), dir)) }
func (q *quiet) store(name, content string) {
	q.t.Helper()
	u, err := q.Create(q.t.Context(), name, 0)
	q.ok(err)
	defer u.Abort()
	_, err = io.WriteString(u, content)
	q.ok(errors.Join(err, u.Commit(q.t.Context())))
}

func (q *quiet) reads(name, want string) {
	q.t.Helper()
	r, err := q.Open(q.t.Context(), name, 0)
	q.ok(err)
	defer r.Close()
	got, err := io.ReadAll(r)
	q.ok(err)
	if string(got) != want {
		q.t.Errorf("%s reads %q, want %q", name, got, want)
	}
}

// namesBelow are those that are listed.
func (q *quiet) namesBelow(dir string) (all []string) {
	q.t.Helper()
	for info, err := range q.List(q.t.Context(), dir) {
		q.ok(err)
		name := remote.Join(dir, info.Name())
		if info.IsDir() {
			all = append(all, name+"/")
			all = append(all, q.namesBelow(name)...)
			continue
		}
		all = append(all, name)
		if _, err := q.Stat(q.t.Context(), name); err != nil {
			q.t.Errorf("%s is listed: %v", name, err)
		}
	}
	return all
}

func (q *quiet) want(what string, got, want []string) {
	q.t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		q.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// What is done while the remote is silent shows at once, survives a restart, and is done on the
// remote in order. The first change was asked of the remote; its answer is lost, comes late, or
// never was one.
func TestWhatIsDoneWhileTheRemoteIsSilentIsDoneLater(t *testing.T) {
	for mode, c := range map[string]writeback.Options{
		"writes": {Mode: writeback.Writes, Gate: writeback.NewGate(4)}, "full": {Mode: writeback.Full, Gate: writeback.NewGate(4), WriteBack: 5 * time.Second}, "one": {Mode: writeback.Writes},
	} {
		for _, fate := range []string{"it was not made", "it is made, and answered late", "it is made, and the answer is lost"} {
			for _, restart := range []bool{false, true} {
				for _, a := range absences() {
					t.Run(strings.Join([]string{mode, fate, map[bool]string{true: "restarted", false: "running"}[restart], a.name}, "/"), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { liveThroughAbsence(t, c, a, fate, restart) })
					})
				}
			}
		}
	}
}

func liveThroughAbsence(t *testing.T, c writeback.Options, a absence, fate string, restart bool) {
	q := newQuiet(t, &c)
	q.fallsSilent()
	switch fate {
	case "it is made, and answered late":
		q.far.late.Store(true)
	case "it is made, and the answer is lost":
		q.far.mute.Store(true)
	}
	a.steps(q)
	q.want("it shows", q.namesBelow("."), a.seen)
	if restart {
		q.stop()
		q.o.Away = true
		q.start()
		time.Sleep(time.Minute)
		for _, name := range a.seen { // what is not known here cannot be listed
			if _, err := q.Stat(t.Context(), strings.TrimSuffix(name, "/")); err != nil && !errors.Is(err, breaker.ErrSilent) {
				t.Errorf("%s is %v after the restart", name, err)
			}
		}
	}
	q.far.late.Store(false)
	q.far.mute.Store(false)
	q.far.silent.Store(false)
	time.Sleep(10 * time.Minute)
	q.want("the remote has", treeOf(t, q.inner, "."), a.there)
	q.want("the tree has", treeOf(t, q.fs.top, "."), a.there)
	if w := q.fs.Waiting(); w.Changes != 0 {
		t.Errorf("%d changes wait: %v", w.Changes, w.LastError)
	}
	if lost, err := q.fs.Refused(); err != nil || len(lost) > 0 {
		t.Errorf("refused: %v, %v", lost, err)
	}
}

// A rename that was made and not answered has replaced another file. That one is not read any more,
// though it is remembered and a copy of it is kept.
func TestAFileWhoseRenameIsInDoubtIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQuiet(t, &writeback.Options{Mode: writeback.Full})
		q.reads("d/b", contentB)
		q.fallsSilent()
		q.far.mute.Store(true)
		q.rename("d/a", "d/b")
		synctest.Wait()
		q.far.silent.Store(false)
		if w := q.fs.Waiting(); w.Changes != 1 {
			t.Fatalf("%d changes wait", w.Changes)
		}
		q.reads("d/b", contentA)
	})
}

// A file that was read before is read under its new name too, while the remote has it under the old
// one and while the move is being made.
func TestAFileThatWaitsToBeRenamedIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQuiet(t, &writeback.Options{Mode: writeback.Full})
		q.fallsSilent()
		q.rename("d/b", "c")
		q.rename("c", "e")
		q.reads("e", contentB)
		for _, gone := range []string{"d/b", "c"} {
			if _, err := q.Open(t.Context(), gone, 0); !errors.Is(err, remote.ErrNotExist) {
				t.Errorf("%s: %v", gone, err)
			}
		}
		q.far.silent.Store(false)
		for range 200 {
			q.reads("e", contentB)
			time.Sleep(time.Second)
		}
		if q.fs.Waiting().Changes != 0 {
			t.Error("it was not renamed")
		}
	})
}

// A remote that answers makes changes while the client waits, and nothing waits for it.
func TestAnAnswerLeavesNothingToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQuiet(t, &writeback.Options{Mode: writeback.Writes})
		q.remove("d/a")
		q.rename("d/b", "c")
		q.mkdir("made")
		q.rmdir("d/empty")
		if got := treeOf(t, q.inner, "."); q.fs.Waiting().Changes != 0 || !slices.Equal(got, []string{"c=" + contentB, "d/", "made/"}) {
			t.Errorf("the remote has %q, %d wait", got, q.fs.Waiting().Changes)
		}
	})
}

// A move that takes long is not taken for one that is not answered, as long as the remote answers.
func TestALongMoveIsWaitedFor(t *testing.T) {
	for mode, c := range map[string]*writeback.Options{"off": nil, "writes": {Mode: writeback.Writes}} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newQuiet(t, c)
				q.far.long.Store(int64(10 * time.Minute))
				q.ok(q.list("."))
				began := time.Now()
				q.rename("d", "e")
				if took := time.Since(began); took < 10*time.Minute {
					t.Errorf("it took %v", took)
				}
				q.want("the remote has", treeOf(t, q.inner, "."), []string{"e/", "e/a=" + contentA, "e/b=" + contentB, "e/empty/"})
			})
		})
	}
}

// Somebody who asks the remote past the tree hears from it.
func TestARemoteThatHasRespondedIsNotAway(t *testing.T) {
	f := New(memory.New(), Options{Away: true})
	defer f.Close()
	if f.Answers() {
		t.Error("it is not away at first")
	}
	if f.Responded(); !f.Answers() {
		t.Error("it is still away")
	}
}
