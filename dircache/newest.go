package dircache

import (
	"time"

	"ferry/remote"
)

// Object stores keep no times of directories. What is remembered of what is below one says the most
// of when it was changed.

// NewestBelow returns the newest time that is known of anything below dir, the zero time where none
// is.
func (t *Tree) NewestBelow(dir string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.dirs[dir]; l != nil {
		return l.newest
	}
	return time.Time{}
}

// newestIn returns the newest time of the entries of dir and of what is remembered below its
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

// Waits notes that something is at name as of now, which the remote need not have yet.
func (t *Tree) Waits(name string) {
	t.note(name, func(dir, _ string) { t.noteTime(dir, time.Now()) })
}

// noteTime notes that something in dir has the time at.
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
