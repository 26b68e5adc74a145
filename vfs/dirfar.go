package vfs

import (
	"iter"

	"ferry/remote"
)

// What is changed on the far side is forgotten when the remote tells of it. It is not looked at: nobody may ever ask for
// it.

// follow forgets what changes, and returns how the changes ended. It calls begun behind the first.
func (c *dirCache) follow(changes iter.Seq2[remote.Change, error], begun func()) error {
	first := true
	for change, err := range changes {
		if err != nil {
			return err
		}
		c.changedFar(change)
		if first {
			begun()
		}
		first = false
	}
	return nil
}

// changedFar forgets what ch may have changed, unless the change leads to what is remembered: then ferry has made it, or
// somebody has looked since.
func (c *dirCache) changedFar(ch remote.Change) {
	if ch.Name == "." && ch.Below {
		c.forgetAll()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch.Removed {
		c.drop(ch.Name)
		delete(c.flights, ch.Name)
	}
	if c.agrees(ch) {
		return
	}
	c.changes++
	c.drop(ch.Name)
	delete(c.flights, ch.Name)
	delete(c.points, ch.Name)
	if ch.Below {
		c.forget(ch.Name)
	}
	if ch.Name != "." {
		c.dropAbove(ch)
	}
}

// agrees reports whether what is remembered is what ch leads to. A listing under way may have seen what was before.
// LOCKS_REQUIRED(c.mu)
func (c *dirCache) agrees(ch remote.Change) bool {
	dir, base := remote.Split(ch.Name)
	l := c.dirs[dir]
	if l == nil || c.flights[dir] != nil || ch.Below {
		return false
	}
	e, found := l.lookup(base)
	switch {
	case ch.Removed:
		return !found && !c.fold
	case ch.Dir:
		return found && e.Dir
	}
	return found && !e.Dir && e.Version != "" && e.Version == ch.Version
}

// dropAbove forgets the listing that a change is in. On a remote whose directories exist by having files in them, those
// above may have come or gone with it.
// LOCKS_REQUIRED(c.mu)
func (c *dirCache) dropAbove(ch remote.Change) {
	dir, base := remote.Split(ch.Name)
	stays := !c.implicit || c.dirs[dir].holdsOthers(base)
	c.drop(dir)
	delete(c.flights, dir)
	if !ch.Removed {
		c.appeared(dir)
		return
	}
	for dir != "." && !stays {
		delete(c.points, dir)
		dir, base = remote.Split(dir)
		stays = c.dirs[dir].holdsOthers(base)
		c.drop(dir)
		delete(c.flights, dir)
	}
}

// holdsOthers reports whether there surely is something else in l than base. l may be nil.
// LOCKS_REQUIRED(dirCache.mu)
func (l *listing) holdsOthers(base string) bool {
	if l == nil {
		return false
	}
	for i := range l.base {
		name := l.base[i].Name
		if e, ok := l.changed[name]; name != base && l.base[i].Part == "" && (!ok || e != nil) {
			return true
		}
	}
	for name, e := range l.changed {
		if name != base && e != nil {
			return true
		}
	}
	return false
}
