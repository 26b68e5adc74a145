package dircache

import (
	"errors"
	"testing"

	"ferry/remote"
)

// What is answered from memory is a hit, also that something is not there.
func TestHitsAndMisses(t *testing.T) {
	store, c := newTree(fiveMinutes)
	defer c.Close()
	put(t, store, "f")
	stat := func(name string) {
		if _, err := c.Stat(t.Context(), name); err != nil && !errors.Is(err, remote.ErrNotExist) {
			t.Error(err)
		}
	}
	list := func() {
		for range c.List(t.Context(), ".") {
		}
	}
	for i, step := range []struct {
		do           func()
		hits, misses uint64
	}{
		{func() { stat("f") }, 0, 1},
		{func() { stat("f") }, 1, 1},
		{list, 1, 2},
		{list, 2, 2},
		{func() { stat("none") }, 3, 2},
		{func() { c.Forget(); stat("f") }, 3, 3},
	} {
		step.do()
		if s := c.Stats(); s.Hits != step.hits || s.Misses != step.misses {
			t.Errorf("step %d: %+v, not %d and %d", i, s, step.hits, step.misses)
		}
	}
}
