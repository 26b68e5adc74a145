package dircache

import (
	"time"

	"ferry/remote"
)

// Object stores keep no times of directories. The best estimate for one is the newest time cached
// below it.

// NewestBelow returns the newest time cached for anything below dir, or the zero time.
func (t *Tree) NewestBelow(dir string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.dirs[dir]; l != nil {
		return l.newest
	}
	return time.Time{}
}

// newestIn returns the newest time of the entries of dir and of anything cached below its
// directories.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) newestIn(dir string, entries []remote.Entry) time.Time {
	var newest time.Time
	for i := range entries {
		at := entries[i].ModTime
		if entries[i].Dir && len(t.dirs) > 1 {
			if l := t.dirs[remote.Join(dir, entries[i].Name)]; l != nil && l.newest.After(at) {
				at = l.newest
			}
		}
		if at.After(newest) {
			newest = at
		}
	}
	return newest
}

// noteTime records the time at of something in dir.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) noteTime(dir string, at time.Time) {
	for ; ; dir, _ = remote.Split(dir) {
		if l := t.dirs[dir]; l != nil && at.After(l.newest) {
			l.newest = at
		}
		if dir == "." {
			return
		}
	}
}
