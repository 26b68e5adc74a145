package retry_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/remote/wrap/retry"
)

// A history is what becomes of an attempt that nobody answers, and what somebody else does before
// the next one.
type history struct {
	fault  faulty.Fault
	others map[string]string // stored before the attempt is repeated, by name
}

func (h history) String() string { return fmt.Sprintf("%+v, others %v", h.fault, h.others) }

// play makes call under history h, and lets what is on its way arrive in the end. It returns the
// doubts.
func (h history) play(w *world, call func(ctx context.Context) error) (doubts int32, err error) {
	var n atomic.Int32
	w.faults.Inject(h.fault)
	for name, content := range h.others {
		time.AfterFunc(time.Millisecond, func() { w.put(name, content) }) // the pause is longer
	}
	err = call(remote.WithUnanswered(w.Context(), func() { n.Add(1) }))
	return n.Load(), err
}

func histories(op faulty.Op, others ...map[string]string) []history {
	var all []history
	for _, f := range []faulty.Fault{{}, {Late: true}, {Lost: true}, {Delayed: true}} {
		f.Op = op
		for _, other := range append(others, nil) {
			all = append(all, history{f, other})
		}
	}
	return all
}

func TestARemovalWithoutAnAnswerNeverHitsANewFile(t *testing.T) {
	for _, h := range histories(faulty.Remove, map[string]string{"f": "new"}) {
		inWorld(t, retry.Options{}, func(w *world) {
			doubts, err := h.play(w, func(ctx context.Context) error { return w.r.Remove(ctx, "f") })
			sent := h.fault.Late || h.fault.Lost || h.fault.Delayed
			if (doubts > 0) != sent {
				w.Errorf("%v: %d doubts", h, doubts)
			}
			_, statErr := w.faults.Stat(w.Context(), "f")
			gone := errors.Is(statErr, remote.ErrNotExist)
			if sent && h.others != nil && (gone || w.get("f") != "new") {
				w.Errorf("%v: what somebody stored was removed", h)
			}
			if (err == nil) != gone {
				w.Errorf("%v: gone %v, and the call ends with %v", h, gone, err)
			}
			if err != nil && (remote.Permanent(err) || !w.faults.Surfaced(err)) {
				w.Errorf("%v: %v", h, err)
			}
			if hint := interface{ Hint() string }(nil); sent && err != nil && !errors.As(err, &hint) {
				w.Errorf("%v: the client is told nothing: %v", h, err)
			}
			if n := w.faults.Calls(faulty.Remove); sent && n != 1 {
				w.Errorf("%v: %d removals", h, n)
			}
		})
	}
}

func TestARemovalOfADirectoryWithoutAnAnswerIsNotRepeated(t *testing.T) {
	for _, h := range histories(faulty.Rmdir) {
		inWorld(t, retry.Options{}, func(w *world) {
			var made atomic.Bool
			time.AfterFunc(time.Millisecond, func() { made.Store(w.faults.Mkdir(w.Context(), "d") == nil) })
			_, err := h.play(w, func(ctx context.Context) error { return w.r.Rmdir(ctx, "d") })
			_, statErr := w.faults.Stat(w.Context(), "d")
			if made.Load() && statErr != nil {
				w.Errorf("%v: the new directory was removed: %v", h, err)
			}
		})
	}
}

func TestARemovalOfAVersionIsRepeated(t *testing.T) {
	for _, h := range histories(faulty.Remove, map[string]string{"f": "new"}) {
		inWorld(t, retry.Options{}, func(w *world) {
			e, err := w.r.Stat(w.Context(), "f")
			if err != nil {
				w.Fatal(err)
			}
			_, err = h.play(w, func(ctx context.Context) error { return w.r.RemoveVersion(ctx, "f", e.Version) })
			w.faults.Deliver()
			switch {
			case h.others != nil && w.get("f") != "new":
				w.Errorf("%v: what somebody stored was removed", h)
			case h.others != nil && err != nil && !errors.Is(err, remote.ErrChanged):
				w.Errorf("%v: %v", h, err)
			case h.others == nil && err != nil:
				w.Errorf("%v: %v", h, err)
			}
		})
	}
}

// Whatever becomes of an attempt, and whatever is stored meanwhile: no content is lost but what a
// rename replaces.
func TestAMoveWithoutAnAnswerNeverHitsANewFile(t *testing.T) {
	others := []map[string]string{{"f": "new"}, {"g": "new"}, {"f": "new", "g": "newer"}}
	for _, h := range histories(faulty.Move, others...) {
		for _, old := range []bool{false, true} {
			inWorld(t, retry.Options{}, func(w *world) {
				if old {
					w.put("g", "old")
				}
				sent := h.fault.Late || h.fault.Lost || h.fault.Delayed
				_, err := h.play(w, func(ctx context.Context) error { return w.r.Move(ctx, "f", "g") })
				if !sent {
					if err != nil {
						w.Errorf("%v: %v", h, err)
					}
					return // it is a move that began later
				}
				for name, content := range h.others {
					if got := w.contents(); !got[content] {
						w.Errorf("%v, old %v: what was stored as %s is gone: %v, %v", h, old, name, got, err)
					}
				}
				if got := w.contents(); h.others["g"] == "" && !(h.fault.Lost || h.fault.Delayed) && !got["content"] {
					w.Errorf("%v, old %v: what was moved is gone: %v, %v", h, old, got, err)
				}
				if err == nil {
					if _, statErr := w.faults.Stat(w.Context(), "f"); !errors.Is(statErr, remote.ErrNotExist) {
						w.Errorf("%v, old %v: it succeeds, and the old name is there", h, old)
					}
				}
			})
		}
	}
}

// contents returns those of f and g.
func (w *world) contents() map[string]bool {
	all := map[string]bool{}
	for _, name := range []string{"f", "g"} {
		if _, err := w.faults.Stat(w.Context(), name); err == nil {
			all[w.get(name)] = true
		}
	}
	return all
}

func TestAMoveWithoutAnAnswerIsRepeatedWhereItCanHarmNothing(t *testing.T) {
	for _, f := range []faulty.Fault{{Late: true}, {Lost: true}, {Delayed: true}} {
		inWorld(t, retry.Options{}, func(w *world) {
			f.Op = faulty.Move
			for from, to := range map[string]string{"f": "g", "d": "e"} {
				w.faults.Inject(f)
				if err := w.r.Move(w.Context(), from, to); err != nil {
					w.Errorf("%+v: %s: %v", f, from, err)
				}
				if _, err := w.faults.Stat(w.Context(), to); err != nil {
					w.Errorf("%+v: %v", f, err)
				}
			}
		})
	}
}

func TestWhatCannotBeSeenIsNotRepeated(t *testing.T) {
	inWorld(t, retry.Options{Attempts: 3}, func(w *world) {
		w.faults.Inject(faulty.Fault{Op: faulty.Remove, Lost: true})
		w.faults.Inject(faulty.Fault{Op: faulty.Stat, Times: -1})
		if err := w.r.Remove(w.Context(), "f"); err == nil || remote.Permanent(err) {
			w.Errorf("%v", err)
		}
		if n := w.faults.Calls(faulty.Stat); n != 3 {
			w.Errorf("it was looked at %d times", n)
		}
	})
}
