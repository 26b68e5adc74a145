package writeback

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
	"ferry/events"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
)

// nodes are two trees over one remote.
func nodes(t *testing.T, o Options) (a, b *rig) {
	t.Helper()
	files := memory.New()
	return newRigOver(t, o, "a", files), newRigOver(t, o, "b", files)
}

// newRigOver starts a rig, a node of that name, over the files of others.
func newRigOver(t *testing.T, o Options, node string, files *memory.Remote) *rig {
	t.Helper()
	return newRigBehind(t, o, node, files, files)
}

// newRigBehind is newRigOver where the files are reached through another remote.
func newRigBehind(t *testing.T, o Options, node string, files *memory.Remote, through remote.Remote) *rig {
	t.Helper()
	o.Node = node
	b := &rig{t: t, o: o, disk: disktest.New(), inner: files, logged: &remotetest.Log{}}
	b.faults = faulty.New(through)
	b.o.Log = slog.New(slog.NewTextHandler(b.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.start()
	return b
}

// inBubble runs a test of two nodes in virtual time.
func inBubble(t *testing.T, o Options, test func(a, b *rig)) {
	synctest.Test(t, func(t *testing.T) {
		a, b := nodes(t, o)
		defer func() { a.stop(); b.stop() }()
		test(a, b)
	})
}

// copies returns what was kept beside a file, of a tree as treeOf lists it.
func copies(all []string, name string) (kept []string) {
	for _, file := range all {
		if before, content, ok := strings.Cut(file, "="); ok && strings.HasPrefix(before, name+".conflict-") {
			kept = append(kept, content)
		}
	}
	slices.Sort(kept)
	return kept
}

func (b *rig) wantKept(name, content string, kept ...string) {
	b.t.Helper()
	all := treeOf(b.t, b.inner, ".")
	if !slices.Contains(all, name+"="+content) {
		b.t.Errorf("the remote holds %q, want %s=%s", all, name, content)
	}
	if got := copies(all, name); !slices.Equal(got, kept) {
		b.t.Errorf("kept beside %s: %q, want %q", name, got, kept)
	}
}

// sent has a content sent, and the answer lost.
func (b *rig) sent(name, content string) {
	b.t.Helper()
	b.faults.Inject(faulty.Fault{Op: faulty.Put, Late: true, Err: errNetwork})
	b.upload(name, content)
	time.Sleep(1100 * time.Millisecond)
	if got := readFile(b.t, b.inner, name); got != content {
		b.t.Errorf("the remote holds %s=%s", name, got)
	}
}

// kill ends the process, and starts the next one, which sends nothing until no request of this one
// is in doubt any more.
func (b *rig) kill() {
	b.t.Helper()
	b.stop()
	b.disk = b.disk.Restart(disktest.Nothing())
	b.o.WriteBack = time.Hour
	b.start()
	time.Sleep(doubtWindow + time.Second)
}

var keeping = Options{Mode: Writes, WriteBack: time.Second, Conflict: KeepBoth}

// Two nodes store one name while they wait: who is sent later has the name, and what the other one
// has stored is kept. Without KeepBoth it is gone.
func TestWhatAnotherNodeStoredIsKept(t *testing.T) {
	for what, c := range map[string]struct {
		conflict Conflict
		before   string
		kept     []string
	}{
		"a new file":      {KeepBoth, "", []string{"of b"}},
		"a replaced file": {KeepBoth, "old", []string{"of b"}},
		"it is not asked": {Overwrite, "old", nil},
	} {
		t.Run(what, func(t *testing.T) {
			o := keeping
			o.Conflict = c.conflict
			inBubble(t, o, func(a, b *rig) {
				if c.before != "" {
					a.has("f", c.before)
				}
				a.upload("f", "of a")
				b.upload("f", "of b")
				b.flush()
				a.flush()
				a.wantKept("f", "of a", c.kept...)
				if warned := strings.Contains(a.logged.String(), "kept beside"); warned != (c.kept != nil) {
					t.Errorf("the log says %s", a.logged)
				}
			})
		})
	}
}

// What a node replaces itself, or after it has seen it, is no conflict.
func TestWhatIsReplacedKnowinglyIsNotKept(t *testing.T) {
	for what, do := range map[string]func(a, b *rig){
		"its own, while it waits": func(a, _ *rig) { a.upload("f", "older"); a.upload("f", "last") },
		"its own, when it was sent": func(a, _ *rig) {
			a.upload("f", "older")
			a.flush()
			a.upload("f", "last")
		},
		"that of another that it has seen": func(a, b *rig) {
			b.upload("f", "of b")
			b.flush()
			a.upload("f", "last")
		},
		"its own, whose answer was lost": func(a, _ *rig) {
			a.faults.Inject(faulty.Fault{Op: faulty.Put, Late: true, Err: errNetwork})
			a.upload("f", "last")
		},
		"its own, of which the answer was lost, by another": func(a, _ *rig) {
			a.faults.Inject(faulty.Fault{Op: faulty.Put, Late: true, Err: errNetwork})
			a.upload("f", "older")
			time.Sleep(1100 * time.Millisecond)
			a.upload("f", "last")
		},
		"its own, of which the answer was lost, before it was killed": func(a, _ *rig) {
			a.faults.Inject(faulty.Fault{Op: faulty.Put, Late: true, Err: errNetwork})
			a.upload("f", "last")
			time.Sleep(1100 * time.Millisecond)
			a.restart()
		},
		"its own, of which the answer was lost, by another, before it was killed": func(a, _ *rig) {
			a.sent("f", "older")
			a.upload("f", "last")
			a.kill()
		},
		"its own, of which the answer was lost, before it was killed, by another, before it was killed": func(a, _ *rig) {
			a.sent("f", "older")
			a.kill()
			a.upload("f", "newer")
			a.upload("f", "last")
			a.kill()
		},
		"its own, of which the answer was lost, by two others, before it was killed twice": func(a, _ *rig) {
			a.sent("f", "older")
			a.upload("f", "newer")
			a.upload("f", "last")
			a.kill()
			a.kill()
		},
		"its own, which was removed, before it was killed": func(a, _ *rig) {
			a.sent("f", "older")
			a.ok(a.Remove(a.t.Context(), "f"))
			a.kill()
			a.upload("f", "last")
			a.kill()
		},
		"its own, whose time was changed, before it was killed": func(a, _ *rig) {
			a.sent("f", "older")
			a.ok(a.SetModTime(a.t.Context(), "f", time.Now().Add(-time.Hour)))
			a.upload("f", "last")
			a.kill()
		},
		"its own, which was renamed, before it was killed": func(a, _ *rig) {
			a.sent("f", "older")
			a.ok(a.Rename(a.t.Context(), "f", "g"))
			a.upload("f", "last")
			a.kill()
		},
		"its own, by one that is renamed, before it was killed": func(a, _ *rig) {
			a.sent("f", "older")
			a.upload("g", "last")
			a.ok(a.Rename(a.t.Context(), "g", "f"))
			a.kill()
		},
		"an old file, which was renamed when it was replaced, before it was killed": func(a, _ *rig) {
			a.has("f", "old")
			a.upload("f", "first")
			a.ok(a.Rename(a.t.Context(), "f", "g"))
			a.upload("f", "last")
			a.kill()
		},
		"what it has renamed away": func(a, _ *rig) {
			a.upload("f", "first")
			a.ok(a.Rename(a.t.Context(), "f", "g"))
			a.upload("f", "last")
		},
		"what it has renamed away, over an old file": func(a, _ *rig) {
			a.has("f", "old")
			a.has("g", "old, too")
			a.upload("f", "first")
			a.ok(a.Rename(a.t.Context(), "f", "g"))
			a.upload("f", "last")
		},
		"an old file, after others were sent": func(a, _ *rig) {
			a.has("f", "old")
			u, err := a.Stage(a.t.Context(), "f", remote.StageOptions{Owner: "bob"})
			a.ok(err)
			a.upload("g", "another")
			a.flush()
			_, err = io.WriteString(u, "last")
			a.ok(err)
			_, err = u.Commit(a.t.Context(), time.Time{})
			a.ok(err)
		},
		"what it has removed": func(a, _ *rig) {
			a.upload("f", "first")
			a.flush()
			a.upload("f", "second")
			a.ok(a.Remove(a.t.Context(), "f"))
			a.upload("f", "last")
		},
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, keeping, func(a, b *rig) {
				t := a.t
				do(a, b)
				a.flush()
				a.settle()
				a.wantKept("f", "last")
				if all := treeOf(t, a.inner, "."); slices.ContainsFunc(all, func(file string) bool { return strings.Contains(file, ".conflict-") }) {
					t.Errorf("the remote holds %q", all)
				}
			})
		})
	}
}

// A removal and a rename that wait do not take what another node has stored since.
func TestAChangeThatWaitsLeavesWhatAnotherNodeStored(t *testing.T) {
	t.Run("a removal", func(t *testing.T) {
		inBubble(t, keeping, func(a, b *rig) {
			a.has("f", "old")
			a.upload("f", "of a")
			a.ok(a.Remove(a.t.Context(), "f"))
			b.upload("f", "of the other")
			b.flush()
			a.flush()
			a.wantThere("f=of the other")
			a.wantSeen("f=of the other")
		})
	})
	t.Run("the old name of a file that was renamed while it waited", func(t *testing.T) {
		inBubble(t, keeping, func(a, b *rig) {
			a.has("f", "old")
			a.upload("f", "of a")
			a.ok(a.Rename(a.t.Context(), "f", "g"))
			b.upload("f", "of the other")
			b.flush()
			a.flush()
			a.wantThere("f=of the other", "g=of a")
		})
	})
	t.Run("the new name of a file", func(t *testing.T) {
		inBubble(t, keeping, func(a, b *rig) {
			a.upload("f", "of a")
			a.ok(a.Rename(a.t.Context(), "f", "g"))
			b.upload("g", "of the other")
			b.flush()
			a.flush()
			a.wantKept("g", "of a", "of the other")
		})
	})
	t.Run("the new name of a file on the remote", func(t *testing.T) {
		inBubble(t, keeping, func(a, b *rig) {
			a.has("f", "of a")
			_, err := a.Stat(a.t.Context(), "f")
			a.ok(err)
			a.faults.Inject(faulty.Fault{Op: faulty.Move, Err: errNetwork}) // it is tried at once, and then waits
			a.ok(a.recordOnly(a.t.Context(), func(ctx context.Context) (kept, error) { return a.keepMove(ctx, "f", "g") }))
			b.upload("g", "of the other")
			b.flush()
			a.settle()
			a.wantKept("g", "of a", "of the other")
		})
	})
}

// What a node has sent before it was killed is known to be its own. A removal takes it, and nothing
// of it is kept.
func TestWhatIsRemovedIsGoneThoughTheNodeWasKilled(t *testing.T) {
	sent := func(a *rig) {
		a.has("f", "old")
		_, err := a.Stat(a.t.Context(), "f")
		a.ok(err)
		a.sent("f", "sent")
	}
	for what, do := range map[string]func(a *rig){
		"after the removal": func(a *rig) {
			sent(a)
			a.ok(a.Remove(a.t.Context(), "f"))
			a.kill()
		},
		"before it": func(a *rig) {
			sent(a)
			a.upload("f", "not sent")
			a.kill()
			a.ok(a.Remove(a.t.Context(), "f"))
		},
		"before it, and again after it": func(a *rig) {
			sent(a)
			a.upload("f", "not sent")
			a.kill()
			a.ok(a.Remove(a.t.Context(), "f"))
			a.kill()
		},
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, keeping, func(a, b *rig) {
				do(a)
				a.flush()
				a.settle()
				a.wantThere()
			})
		})
	}
}

// A node that is killed at any instant of a change knows what it has sent before.
func TestAKillAtAnyInstantMakesNoCopy(t *testing.T) {
	for what, change := range map[string]func(a *rig) error{
		"an upload": func(a *rig) error {
			u, err := a.Stage(a.t.Context(), "f", remote.StageOptions{Owner: "bob"})
			if err != nil {
				return err
			}
			if _, err = io.WriteString(u, "last"); err != nil {
				return err
			}
			_, err = u.Commit(a.t.Context(), time.Time{})
			return err
		},
		"a removal": func(a *rig) error { return a.Remove(a.t.Context(), "f") },
		"a rename":  func(a *rig) error { return a.Rename(a.t.Context(), "f", "g") },
		"a time":    func(a *rig) error { return a.SetModTime(a.t.Context(), "f", time.Now().Add(-time.Hour)) },
	} {
		t.Run(what, func(t *testing.T) {
			for n, stopped := 1, true; stopped; n++ {
				inBubble(t, keeping, func(a, _ *rig) {
					a.sent("f", "first")
					a.upload("f", "second")
					a.disk.StopAt(n, n%3)
					err := change(a)
					stopped = a.disk.Stopped()
					a.kill()
					a.flush()
					a.settle()
					all := treeOf(a.t, a.inner, ".")
					if slices.ContainsFunc(all, func(file string) bool { return strings.Contains(file, ".conflict-") }) {
						a.t.Errorf("stopped at change %d, %v: the remote holds %q", n, err, all)
					}
				})
			}
		})
	}
}

// What one node was not told whether it is stored is not put over what another one stores then.
func TestADoubtIsNoReasonToReplaceAnotherNodesFile(t *testing.T) {
	inBubble(t, keeping, func(a, b *rig) {
		a.faults.Inject(faulty.Fault{Op: faulty.Put, Late: true, Err: errNetwork})
		a.upload("f", "of a")
		a.flush()
		_, err := b.Stat(t.Context(), "f")
		b.ok(err)
		b.upload("f", "of b, who has seen it")
		b.flush()
		a.settle()
		a.wantKept("f", "of b, who has seen it")
	})
}

// The names of copies differ, and are no longer than the remote can hold.
func TestConflictNames(t *testing.T) {
	when := time.Date(2026, 11, 30, 7, 8, 9, 0, time.UTC)
	for _, c := range []struct {
		name  string
		n     int
		limit int
		want  string
	}{
		{"d/report.csv", 0, 0, "d/report.csv.conflict-n1-20261130-070809"},
		{"report.csv", 1, 255, "report.csv.conflict-n1-20261130-070809-2"},
		{strings.Repeat("x", 255), 0, 255, strings.Repeat("x", 227) + ".conflict-n1-20261130-070809"},
		{strings.Repeat("é", 127), 0, 255, strings.Repeat("é", 113) + ".conflict-n1-20261130-070809"},
	} {
		if got := conflictName(c.name, "n1", when, c.n, c.limit); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The event says what was kept, and where.
func TestAConflictIsAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, told := keeping, &listener{}
		o.Events = events.New(events.Subscription{Kinds: events.Of(events.UploadConflict), Listener: told})
		files := memory.New()
		a, b := newRigOver(t, o, "a", files), newRigOver(t, keeping, "b", files)
		defer func() { a.stop(); b.stop() }()
		a.has("in/x", "old")
		a.receive("1", "/f", "of a")
		b.upload("in/f", "of b, longer")
		b.flush()
		a.flush()
		e := told.last()
		if e.Kind != events.UploadConflict || e.Name != "in/f" || e.Size != 12 || e.User != "bob" || e.Version == "" ||
			e.Path != "/f" || !strings.HasPrefix(e.To, "/f.conflict-a-") {
			t.Errorf("%+v", e)
		}
	})
}
