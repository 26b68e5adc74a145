package writeback

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"ferry/remote"
)

// heldPaths are the locked paths, by goroutine.
type heldPaths struct {
	mu  sync.Mutex
	all map[int][]string // guarded by mu
}

// add fails if another goroutine holds one of the paths, or a path above or below it.
func (h *heldPaths) add(who int, paths []string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for other, theirs := range h.all {
		for _, a := range theirs {
			for _, b := range paths {
				if a == b || remote.Below(a, b) || remote.Below(b, a) {
					return fmt.Errorf("%d has %q while %d has %q", who, b, other, a)
				}
			}
		}
	}
	h.all[who] = paths
	return nil
}

func (h *heldPaths) remove(who int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, who)
}

func TestPathLocksExclude(t *testing.T) {
	paths := []string{".", "a", "b", "a/b", "a/c", "a/b/c", "a/b/d", "ab", "b/a"}
	var l pathLocks
	held := &heldPaths{all: map[int][]string{}}
	var group sync.WaitGroup
	for who := range 16 {
		group.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(who)))
			for range 300 {
				keys := []string{paths[r.IntN(len(paths))]}
				if r.IntN(2) == 0 {
					keys = append(keys, paths[r.IntN(len(paths))])
				}
				ctx, cancel := context.WithCancel(t.Context())
				if r.IntN(4) == 0 {
					go cancel()
				}
				release, err := l.take(ctx, keys...)
				if err == nil {
					if err := held.add(who, keys); err != nil {
						t.Error(err)
					}
					held.remove(who)
					release()
				}
				cancel()
			}
		})
	}
	group.Wait()
	if len(l.nodes) != 0 {
		t.Errorf("%d paths are left", len(l.nodes))
	}
}

// Locks are granted in the order of the calls, so that no caller starves.
func TestPathLocksAreTakenInOrder(t *testing.T) {
	var l pathLocks
	first, err := l.take(t.Context(), "d/f")
	if err != nil {
		t.Fatal(err)
	}
	second := l.enter([]string{"d"})
	third := l.enter([]string{"d/g"})
	if l.before(second) == nil || l.before(third) != second {
		t.Error("the third does not wait for the second")
	}
	first()
	if l.before(second) != nil || l.before(third) != second {
		t.Error("the second does not go first")
	}
	l.drop(second)
	if l.before(third) != nil {
		t.Error("the third still waits")
	}
	l.drop(third)
}

// BenchmarkPathLocks takes a lock while many others are held.
func BenchmarkPathLocks(b *testing.B) {
	for _, holders := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(holders), func(b *testing.B) {
			var l pathLocks
			for i := range holders {
				release, err := l.take(b.Context(), fmt.Sprintf("some/dir-%d/file-%d", i%50, i))
				if err != nil {
					b.Fatal(err)
				}
				defer release()
			}
			for b.Loop() {
				release, err := l.take(b.Context(), "some/dir-7/other")
				if err != nil {
					b.Fatal(err)
				}
				release()
			}
		})
	}
}
