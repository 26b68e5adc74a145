package vfs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
	"ferry/writeback"
)

// A step is an operation of a client, and what it does to the model.
type step struct {
	name  string
	do    func(ctx context.Context, b *rig) error
	apply func(m model)
}

func (s step) String() string { return s.name }

func stepPut(name, content string) step {
	return step{"put " + name, func(_ context.Context, b *rig) error { return b.trySend(name, content, 0) }, func(m model) { m[name] = content }}
}

func stepAdd(name, content string) step {
	return step{"append to " + name, func(_ context.Context, b *rig) error { return b.trySend(name, content, AtEnd) }, func(m model) { m[name] += content }}
}

func stepMove(from, to string) step {
	return step{"move " + from + " " + to, func(ctx context.Context, b *rig) error { return b.Rename(ctx, from, to) }, func(m model) { m.rename(from, to) }}
}

func stepRemove(name string) step {
	return step{"remove " + name, func(ctx context.Context, b *rig) error { return b.Remove(ctx, name) }, func(m model) { delete(m, name) }}
}

func stepMkdir(dir string) step {
	return step{"mkdir " + dir, func(ctx context.Context, b *rig) error { return b.Mkdir(ctx, dir) }, func(m model) { m[dir+"/"] = "" }}
}

func stepRmdir(dir string) step {
	return step{"rmdir " + dir, func(ctx context.Context, b *rig) error { return b.Rmdir(ctx, dir) }, func(m model) { delete(m, dir+"/") }}
}

func stepTime(name string) step {
	return step{"time of " + name, func(ctx context.Context, b *rig) error { return b.SetModTime(ctx, name, time.Unix(1e9, 0)) }, func(model) {}}
}

// crashHistory has every kind of change of what waits. The remote has the files old and d/far
// before.
func crashHistory() []step {
	return []step{
		stepPut("a", "one"), stepPut("a", "two"), stepAdd("a", " three"), stepTime("a"),
		stepPut("tmp", "final"), stepMove("tmp", "f"), stepMove("f", "g"),
		stepPut("old", "new"), stepMove("old", "moved"), stepPut("old", "newer"),
		stepPut("x", "x"), stepPut("y", "y"), stepMove("x", "t"), stepMove("y", "x"), stepMove("t", "y"),
		stepPut("gone", "gone"), stepRemove("gone"), stepPut("gone", "back"), stepRemove("gone"),
		stepRemove("old"), stepAdd("d/far", " more"), stepPut("d/near", "near"), stepMove("d", "e"),
		stepRemove("e/far"), stepMkdir("made"), stepPut("made/f", "f"), stepMove("made/f", "last"), stepRmdir("made"),
	}
}

// TestWhatWasAcknowledgedSurvivesEveryInstant stops the disk at each of its operations in turn, and
// lets it lose what was not synced. What was acknowledged reaches the remote; what was under way
// may or may not. An outbox on the disk is told of each upload that the remote has in the end, and
// of none that it never had.
func TestWhatWasAcknowledgedSurvivesEveryInstant(t *testing.T) {
	for what, c := range map[string]writeback.Options{
		"waiting":      {Mode: writeback.Writes, WriteBack: time.Hour, Gate: writeback.NewGate(4)},
		"sent at once": {Mode: writeback.Full, Gate: writeback.NewGate(4)},
		"ack remote":   {Mode: writeback.Writes, Ack: writeback.AckRemote, Gate: writeback.NewGate(4)},
		"minimal":      {Mode: writeback.Minimal, WriteBack: time.Minute, Gate: writeback.NewGate(4)},
		"off":          {},
	} {
		t.Run(what, func(t *testing.T) {
			stride := 1
			if testing.Short() {
				stride = 7
			}
			for n := 1; ; n += stride {
				losses := map[string]disktest.Loss{
					"nothing": disktest.Nothing(), "everything": disktest.Everything(), "some": disktest.Some(uint64(n)),
				}
				over := false
				for lost, loss := range losses {
					t.Run(fmt.Sprintf("%d %s", n, lost), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { over = crashAt(t, c, n, loss) || over })
					})
				}
				if over || t.Failed() {
					return
				}
			}
		})
	}
}

// crashAt plays the history on a disk that stops at its n-th change, and reports whether the
// history was over before.
func crashAt(t *testing.T, c writeback.Options, n int, loss disktest.Loss) (over bool) {
	b := newRigAt(t, c, &rig{disk: disktest.New(), off: c.Gate == nil})
	defer func() { b.stop() }()
	b.stop()
	b.listen()
	b.told.exact = true
	b.start()
	b.mayFail = true
	b.has("old", "old")
	b.has("d/far", "far")
	m := model{"old": "old", "d/": "", "d/far": "far"}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // what waits for the disk for ever
	defer cancel()
	b.disk.StopAt(n, n%3)
	after, at := m, "the end"
	for _, s := range crashHistory() {
		after = maps.Clone(m)
		s.apply(after)
		if err := s.do(ctx, b); err != nil || b.disk.Stopped() { // its answer has not reached the client
			at = s.name
			break
		}
		m = after
		synctest.Wait()
		if b.disk.Stopped() {
			at = "after " + s.name
			break
		}
	}
	over = !b.disk.Stopped()
	disk := b.disk.Restart(loss)
	b.stop()
	b.disk, b.mayFail = disk, false
	b.start()
	b.told.resolve(b.fs)
	b.flush()
	b.told.wantTold()
	got, before, then := treeOf(t, b.inner, "."), m.entries(), after.entries()
	slices.Sort(got)
	slices.Sort(before)
	slices.Sort(then)
	if !slices.Equal(got, before) && !slices.Equal(got, then) {
		t.Errorf("stopped at %s: the remote has\n%q, want\n%q or\n%q", at, got, before, then)
	}
	if lost, err := b.fs.Refused(); err != nil || len(lost) > 0 {
		t.Errorf("stopped at %s: lost are %+v, %v", at, lost, err)
	}
	return over
}
