package vfs

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// TestNothingIsLostWhicheverCallFails makes each call of the remote that a history leads to fail,
// one at a time. Whatever was acknowledged is on the remote in the end, or among what was refused;
// and each error can be read somewhere.
func TestNothingIsLostWhicheverCallFails(t *testing.T) {
	for what, fault := range map[string]faulty.Fault{
		"on the way":  {Err: errNetwork},
		"for a while": {Err: errNetwork, Times: 5},
		"for good":    {Err: remote.ErrTooLarge},
		"unanswered":  {Op: faulty.Put, Err: errNetwork, Late: true},
		"half way":    {Op: faulty.Put, Err: errNetwork, After: 1},
	} {
		for mode, c := range map[string]writeback.Options{
			"waiting":      {Mode: writeback.Writes, WriteBack: time.Hour, Gate: writeback.NewGate(4)},
			"sent at once": {Mode: writeback.Full, Gate: writeback.NewGate(4)},
		} {
			t.Run(what+", "+mode, func(t *testing.T) {
				for n := 0; ; n++ {
					fault.Skip = n
					over := false
					t.Run(fmt.Sprint(n), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { over = failAt(t, c, fault) })
					})
					if over || t.Failed() {
						return
					}
				}
			})
		}
	}
}

// failAt plays the history with a fault, and reports whether the history was over before.
func failAt(t *testing.T, c writeback.Options, fault faulty.Fault) (over bool) {
	b := newRig(t, c)
	defer func() { b.stop() }()
	b.has("old", "old")
	b.has("d/far", "far")
	m := model{"old": "old", "d/": "", "d/far": "far"}
	b.faults.Inject(fault)
	ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
	defer cancel()
	for _, s := range crashHistory() {
		err := s.do(ctx, b)
		if err == nil {
			s.apply(m)
		}
		b.faults.Surfaced(err)
		synctest.Wait()
	}
	over = b.faults.Injected() == 0
	b.faults.Heal()
	flushErr := b.fs.Flush(ctx, ".")
	b.faults.Surfaced(flushErr)
	lost, err := b.fs.Refused()
	b.ok(err)
	if len(lost) == 0 && flushErr != nil {
		t.Errorf("Flush: %v", flushErr)
	}
	b.wantKept(m, lost)
	for _, err := range b.faults.Swallowed() {
		if !strings.Contains(b.logged.String(), err.Error()) {
			t.Errorf("%v did not surface", err)
		}
	}
	return over
}

// wantKept checks that the remote has what the model has, but for what was refused: that is in the
// cache.
func (b *rig) wantKept(m model, lost []cache.LostRecord) {
	b.t.Helper()
	there, want := treeOf(b.t, b.inner, "."), m.entries()
	for _, e := range want {
		if !slices.Contains(there, e) && !slices.ContainsFunc(lost, func(r cache.LostRecord) bool { return b.holds(r, e) }) {
			b.t.Errorf("%q is neither there nor refused; there is %q, refused %+v", e, there, lost)
		}
	}
	for _, e := range there {
		if !slices.Contains(want, e) && len(lost) == 0 {
			b.t.Errorf("%q is there and should not be: want %q", e, want)
		}
	}
}

// holds reports whether a refused record is the file or the directory of an entry of treeOf. What
// was there instead of a refused file may have been renamed since, and something may have been
// appended to it.
func (b *rig) holds(r cache.LostRecord, entry string) bool {
	b.t.Helper()
	if r.Kind != cache.File {
		return entry == r.Name+"/"
	}
	content, err := b.store.OpenLost(r.ID)
	b.ok(err)
	defer content.Close()
	text, err := io.ReadAll(content.Section())
	b.ok(err)
	_, want, _ := strings.Cut(entry, "=")
	return int64(len(text)) == r.Size && strings.HasPrefix(want, string(text))
}
