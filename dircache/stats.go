package dircache

import "sync/atomic"

// counts are those of Stats.
type counts struct {
	hits, misses, changes atomic.Uint64
}

// asked counts a question.
func (c *counts) asked(answered bool) {
	if answered {
		c.hits.Add(1)
	} else {
		c.misses.Add(1)
	}
}
