package vfs

import (
	"sync"
	"time"
)

// interruptions remembers whose uploads were interrupted and whose are under way. After an
// interruption a client that asks for the size may see that of another file, and would go on behind
// it with the rest of its own: both ends would be right and the file would not. An upload that
// continued the file does no such harm: the file is its beginning. It does not outlive the process;
// what earlier ones left is learnt where it matters.
type interruptions struct {
	// constant
	began time.Time // when the tree was made: all who wrote before had gone

	mu      sync.Mutex
	made    map[uploadKey]map[string]interruption // guarded by mu; by owner
	running map[uploadKey]map[string]int          // guarded by mu; uploads of whole files under way, by owner
	learnt  map[string]bool                       // guarded by mu; directories in which earlier processes' parts were looked for
	entries int                                   // guarded by mu; in made and learnt
}

// uploadKey is what the uploads of one user to one name have in common, from whatever address.
type uploadKey struct{ user, name string }

type interruption struct {
	seen       time.Time // when its writer was last known to be there
	at         time.Time // when it was interrupted, as times of files are compared
	continued  bool      // the file was its beginning
	superseded bool      // the user has stored the file from another address since
	earlier    bool      // all that is known is a part that an earlier process left
}

// maxInterruptions bounds the memory. When they are that many, all are forgotten.
const maxInterruptions = 10_000

// note notes an upload that was interrupted.
func (c *interruptions) note(k uploadKey, owner string, continued bool) {
	now := time.Now()
	c.put(k, owner, interruption{seen: now, at: now, continued: continued})
}

// learn notes a part that an earlier process left at the time at.
func (c *interruptions) learn(k uploadKey, owner string, at time.Time) {
	c.mu.Lock()
	_, known := c.made[k][owner]
	c.mu.Unlock()
	if !known {
		c.put(k, owner, interruption{seen: c.began, at: at, earlier: true})
	}
}

// taken notes that owner continues what another left.
func (c *interruptions) taken(k uploadKey, other, owner string) {
	c.mu.Lock()
	made, known := c.made[k][other]
	c.mu.Unlock()
	if known {
		made.superseded, made.earlier = false, false
		c.put(k, owner, made)
		c.forget(k, other)
	}
}

func (c *interruptions) put(k uploadKey, owner string, made interruption) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grow()
	if c.made[k] == nil {
		c.made[k] = map[string]interruption{}
	}
	c.made[k][owner] = made
}

// again notes that an upload which continued a part was interrupted.
func (c *interruptions) again(k uploadKey, owner string) {
	c.mu.Lock()
	made := c.made[k][owner]
	c.mu.Unlock()
	c.note(k, owner, made.continued)
}

// grow counts another entry.
// LOCKS_REQUIRED(c.mu)
func (c *interruptions) grow() {
	if c.entries++; c.made == nil || c.entries > maxInterruptions {
		c.made, c.learnt, c.entries = map[uploadKey]map[string]interruption{}, map[string]bool{}, 1
	}
}

// learns reports whether the caller is the first to look for the parts that earlier processes left
// in dir.
func (c *interruptions) learns(dir string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.learnt[dir] {
		return false
	}
	c.grow()
	c.learnt[dir] = true
	return true
}

// unlearn takes learns back: it came to nothing.
func (c *interruptions) unlearn(dir string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.learnt, dir)
}

// forget notes that owner left nothing.
func (c *interruptions) forget(k uploadKey, owner string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.made[k], owner)
	if len(c.made[k]) == 0 {
		delete(c.made, k)
	}
}

// stored notes that owner has stored the file, from its beginning or behind what it saw.
func (c *interruptions) stored(k uploadKey, owner string) {
	c.forget(k, owner)
	c.mu.Lock()
	defer c.mu.Unlock()
	for other, made := range c.made[k] {
		made.superseded = true
		c.made[k][other] = made
	}
}

// of returns what is known of an interrupted upload by owner, unless that is older than age; 0 =
// for ever.
func (c *interruptions) of(k uploadKey, owner string, age time.Duration) (interruption, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	made, ok := c.made[k][owner]
	return made, ok && !made.earlier && (age <= 0 || time.Since(made.seen) <= age)
}

// others returns the interrupted uploads from other addresses than that of owner, by their owner.
func (c *interruptions) others(k uploadKey, owner string) map[string]interruption {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found map[string]interruption
	for other, made := range c.made[k] {
		if other != owner {
			if found == nil {
				found = map[string]interruption{}
			}
			found[other] = made
		}
	}
	return found
}

// begin notes that owner sends a whole file; end that it is over.
func (c *interruptions) begin(k uploadKey, owner string) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil {
		c.running = map[uploadKey]map[string]int{}
	}
	if c.running[k] == nil {
		c.running[k] = map[string]int{}
	}
	c.running[k][owner]++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.running[k][owner]--; c.running[k][owner] == 0 {
			delete(c.running[k], owner)
		}
		if len(c.running[k]) == 0 {
			delete(c.running, k)
		}
	})
}

// busy reports whether the user sends a whole file of that name just now, from whatever address.
func (c *interruptions) busy(k uploadKey) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.running[k]) > 0
}
