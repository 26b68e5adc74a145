package dircache

import (
	"slices"

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
	if t.spellings == nil {
		return
	}
	dir, base := remote.Split(name)
	var dirs, trees []string
	for s := t.spellings.of(dir); s != nil; s = s.other {
		if s.name != dir {
			dirs = append(dirs, s.name)
		}
	}
	for s := t.spellings.of(name); s != nil; s = s.other {
		if s.name != name {
			trees = s.appendTree(trees)
		}
	}
	for _, d := range dirs {
		t.dropListing(d)
	}
	for _, p := range trees {
		t.dropListing(p)
		t.dropName(p)
	}
	t.dropTwinFlights(name)
	if l := t.dirs[dir]; l != nil && t.hasTwin(l, base) {
		t.dropListing(dir)
	}
}

// dropTwinFlights is dropTwins for the flights. There are no more of them than clients that wait.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) dropTwinFlights(name string) {
	if len(t.flights) == 0 {
		return
	}
	dir, _ := remote.Split(name)
	folded, foldedDir := foldName(name), foldName(dir)
	for d := range t.flights {
		key := foldName(d)
		twin := (key == folded || remote.Below(key, folded)) && d != name && !remote.Below(d, name)
		if twin || d != dir && key == foldedDir {
			delete(t.flights, d)
		}
	}
}

// hasTwin reports whether l has base by another spelling, and not by its own.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) hasTwin(l *listing, base string) bool {
	if _, found := t.lookup(l, base); found {
		return false
	}
	if t.appeared[l][foldName(base)] > 0 {
		return true
	}
	i, _ := slices.BinarySearchFunc(l.base, base, func(e remote.Entry, name string) int {
		return compareFolded(e.Name, name)
	})
	for ; i < len(l.base) && compareFolded(l.base[i].Name, base) == 0; i++ {
		name := l.base[i].Name
		if e, changed := l.changed[name]; name != base && (!changed || e != nil) {
			return true
		}
	}
	return false
}

// noteAppeared records, for hasTwin, that base becomes e in the changes of l; nil removes it.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) noteAppeared(l *listing, base string, e *remote.Entry) {
	if t.spellings == nil || (l.changed[base] != nil) == (e != nil) {
		return
	}
	names := t.appeared[l]
	if names == nil {
		names = map[string]int{}
		t.appeared[l] = names
	}
	if key := foldName(base); e != nil {
		names[key]++
	} else if names[key]--; names[key] == 0 {
		delete(names, key)
	}
}
