package vfs

import (
	"sync"
	"time"
)

// cuts remembers whose uploads were cut, and whether they were of a whole file. After that a client that asks for the size
// sees that of the old file, and would go on behind it with the rest of the new one: both ends would be right and the
// file would not. An upload that continued the file does no such harm: the old file is its beginning. It does not outlive
// the process.
type cuts struct {
	mu   sync.Mutex
	made map[cutKey]cut // guarded by mu
}

type cutKey struct{ owner, name string }

type cut struct {
	at        time.Time
	continued bool // the file was its beginning
}

// maxCuts bounds the memory. When they are that many, all are forgotten.
const maxCuts = 10_000

func (c *cuts) note(owner, name string, continued bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil || len(c.made) >= maxCuts {
		c.made = map[cutKey]cut{}
	}
	c.made[cutKey{owner, name}] = cut{time.Now(), continued}
}

func (c *cuts) forget(owner, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.made, cutKey{owner, name})
}

// of returns what is known of a cut upload of name by owner.
func (c *cuts) of(owner, name string) (cut, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.made[cutKey{owner, name}]
	return known, ok
}
