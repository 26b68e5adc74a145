package vfs

import (
	"time"

	"ferry/remote"
)

// Object stores keep no times of directories. What is remembered of what is below one says the most of when it was changed.

// newestBelow returns the newest time that is known of anything below dir, the zero time where none is.
func (c *dirCache) newestBelow(dir string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.dirs[dir]; l != nil {
		return l.newest
	}
	return time.Time{}
}

// newestIn returns the newest time of the entries of dir and of what is remembered below its directories.
// LOCKS_REQUIRED(c.mu)
func (c *dirCache) newestIn(dir string, entries []remote.Entry) time.Time {
	var newest time.Time
	for i := range entries {
		t := entries[i].ModTime
		if entries[i].Dir && len(c.dirs) > 1 {
			if l := c.dirs[remote.Join(dir, entries[i].Name)]; l != nil && l.newest.After(t) {
				t = l.newest
			}
		}
		if t.After(newest) {
			newest = t
		}
	}
	return newest
}

// noteTime notes that something in dir has the time t.
// LOCKS_REQUIRED(c.mu)
func (c *dirCache) noteTime(dir string, t time.Time) {
	for ; ; dir, _ = remote.Split(dir) {
		if l := c.dirs[dir]; l != nil && t.After(l.newest) {
			l.newest = t
		}
		if dir == "." {
			return
		}
	}
}
