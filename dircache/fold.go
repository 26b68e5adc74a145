package dircache

import (
	"strings"

	"ferry/remote"
)

// On a remote that ignores the case of names, a file or directory is remembered by each name that
// it was asked for by. What changes one of them, changes all.

// dropTwins drops what is remembered of names that are name in upper or lower case, or are below
// it, and the listings of the directory that name is in, unless they are as name is spelled: those
// are for the caller. A listing that has name by another spelling only is dropped in any case:
// which one it has then, the remote knows.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) dropTwins(name string) {
	if !t.fold {
		return
	}
	dir, base := remote.Split(name)
	folded, foldedDir := strings.ToLower(name), strings.ToLower(dir)
	// twin reports whether p is what name is, or below it, by another spelling.
	twin := func(p string) bool {
		if p == name || remote.Below(p, name) {
			return false
		}
		p = strings.ToLower(p)
		return p == folded || remote.Below(p, folded)
	}
	for d := range t.dirs {
		if twin(d) || d != dir && strings.ToLower(d) == foldedDir {
			t.dropListing(d)
		}
	}
	for d := range t.flights {
		if twin(d) || d != dir && strings.ToLower(d) == foldedDir {
			delete(t.flights, d)
		}
	}
	for p := range t.names {
		if twin(p) {
			delete(t.names, p)
		}
	}
	if l := t.dirs[dir]; l != nil && l.hasTwin(base) {
		t.dropListing(dir)
	}
}

// hasTwin reports whether l has base by another spelling, and not by its own.
// LOCKS_REQUIRED(Tree.mu)
func (l *listing) hasTwin(base string) bool {
	if _, found := l.lookup(base); found {
		return false
	}
	for i := range l.base {
		name := l.base[i].Name
		if name != base && strings.EqualFold(name, base) {
			if e, changed := l.changed[name]; !changed || e != nil {
				return true
			}
		}
	}
	for name, e := range l.changed {
		if e != nil && name != base && strings.EqualFold(name, base) {
			return true
		}
	}
	return false
}
