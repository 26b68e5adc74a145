package vfs

import (
	"strings"
	"sync"
	"time"
)

// interruptions remembers which uploads were interrupted and which are in progress. After an
// interruption, a client that queries the size may get that of another file, and would append the
// rest of its own to it: both sides would be correct and the file would not. An upload that
// continued the file does no such harm: the file is its beginning. It does not outlive the process;
// parts of earlier processes are looked for when they matter.
type interruptions struct {
	// constant
	began time.Time // when the tree was created: all earlier writers are gone

	mu      sync.Mutex
	made    map[uploadKey]map[string]interruption // guarded by mu; by owner
	running map[string]map[string]int             // guarded by mu; uploads of whole files in progress, by name and owner
	loaded  map[string]bool                       // guarded by mu; directories that were searched for earlier processes' parts
	entries int                                   // guarded by mu; in made and loaded
}

// An uploadKey identifies the uploads of one user to one name, from any address.
type uploadKey struct{ user, name string }

func (v *View) uploads(name string) uploadKey { return uploadKey{v.user, name} }

type interruption struct {
	seen       time.Time // when its writer was last known to be connected
	at         time.Time // when it was interrupted, to compare with times of files
	continued  bool      // it continued the file
	superseded bool      // the user has stored the file from another address since
	earlier    bool      // known only by a part of an earlier process
}

// maxInterruptions bounds memory: when there are this many, all are dropped.
const maxInterruptions = 10_000

// note records an interrupted upload.
func (c *interruptions) note(k uploadKey, owner string, continued bool) {
	now := time.Now()
	c.put(k, owner, interruption{seen: now, at: now, continued: continued})
}

// addEarlier records a part that an earlier process left at the time at.
func (c *interruptions) addEarlier(k uploadKey, owner string, at time.Time) {
	c.mu.Lock()
	_, known := c.made[k][owner]
	c.mu.Unlock()
	if !known {
		c.put(k, owner, interruption{seen: c.began, at: at, earlier: true})
	}
}

// taken records that owner continues the upload of other.
func (c *interruptions) taken(k uploadKey, other, owner string) {
	c.mu.Lock()
	made, known := c.made[k][other]
	c.mu.Unlock()
	if known {
		made.superseded, made.earlier = false, false
		c.put(k, owner, made)
		c.clear(k, other)
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

// noteContinued records that an upload which continued a part was interrupted.
func (c *interruptions) noteContinued(k uploadKey, owner string) {
	c.mu.Lock()
	made := c.made[k][owner]
	c.mu.Unlock()
	c.note(k, owner, made.continued)
}

// grow counts another entry.
// LOCKS_REQUIRED(c.mu)
func (c *interruptions) grow() {
	if c.entries++; c.made == nil || c.entries > maxInterruptions {
		c.made, c.loaded, c.entries = map[uploadKey]map[string]interruption{}, map[string]bool{}, 1
	}
}

// startLoading reports whether the caller is the first to look for parts of earlier processes in
// dir.
func (c *interruptions) startLoading(dir string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loaded[dir] {
		return false
	}
	c.grow()
	c.loaded[dir] = true
	return true
}

// cancelLoading reverts startLoading after a failure.
func (c *interruptions) cancelLoading(dir string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.loaded, dir)
}

// clear records that owner has no interrupted upload.
func (c *interruptions) clear(k uploadKey, owner string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(k, owner)
}

// drop is clear.
// LOCKS_REQUIRED(c.mu)
func (c *interruptions) drop(k uploadKey, owner string) {
	delete(c.made[k], owner)
	if len(c.made[k]) == 0 {
		delete(c.made, k)
	}
}

// stored records that owner has stored the file, from its beginning or by continuing it.
func (c *interruptions) stored(k uploadKey, owner string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(k, owner)
	for other, made := range c.made[k] {
		made.superseded = true
		c.made[k][other] = made
	}
}

// last returns the interrupted upload of owner, however old; none is the zero value.
func (c *interruptions) last(k uploadKey, owner string) interruption {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made[k][owner]
}

// finished records that owner has finished the interrupted upload was through another process, if
// there was none since. What was interrupted at other addresses may be later.
func (c *interruptions) finished(k uploadKey, owner string, was interruption) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if made, known := c.made[k][owner]; known && made == was {
		c.drop(k, owner)
	}
}

// of returns the interrupted upload of owner, unless it is older than age; 0 = no limit.
func (c *interruptions) of(k uploadKey, owner string, age time.Duration) (interruption, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	made, ok := c.made[k][owner]
	return made, ok && !made.earlier && (age <= 0 || time.Since(made.seen) <= age)
}

// others returns the interrupted uploads from addresses other than that of owner, by their owner.
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

// begin records that owner is sending a whole file, and end that this is over. With alone, it
// refuses if anybody is.
func (c *interruptions) begin(name, owner string, alone bool) (end func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if alone && len(c.running[name]) > 0 {
		return nil, false
	}
	if c.running == nil {
		c.running = map[string]map[string]int{}
	}
	if c.running[name] == nil {
		c.running[name] = map[string]int{}
	}
	c.running[name][owner]++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.running[name][owner]--; c.running[name][owner] == 0 {
			delete(c.running[name], owner)
		}
		if len(c.running[name]) == 0 {
			delete(c.running, name)
		}
	}), true
}

// busy reports whether user is sending a whole file of that name, from any address.
func (c *interruptions) busy(name, user string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for owner := range c.running[name] {
		if strings.HasPrefix(owner, user) {
			return true
		}
	}
	return false
}
