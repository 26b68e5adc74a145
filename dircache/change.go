package dircache

import (
	"time"

	"ferry/remote"
)

// A change made through ferry is applied to the cache at once, so that every session sees it. A
// flight of a directory that changes meanwhile is not joined any more and not cached: whether it
// has seen the change is unknown.

// note runs change, which applies an event of name to the cache, with the lock held. name is base
// in dir.
func (t *Tree) note(name string, change func(dir, base string)) {
	if t.uncached {
		return
	}
	dir, base := remote.Split(name)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropTwins(name)
	change(dir, base)
}

// Stored records that name is now, or has turned out to be, the file that e describes.
func (t *Tree) Stored(name string, e remote.Entry) {
	t.note(name, func(dir, base string) {
		e.Name = base
		if e.ModTime.IsZero() {
			e.ModTime = time.Now()
		}
		t.replace(dir, base, &e)
		t.noteParents(dir)
	})
}

// NotePending records a change of name as of now, which may still be pending.
func (t *Tree) NotePending(name string) {
	t.note(name, func(dir, _ string) { t.noteTime(dir, time.Now()) })
}

// removed records that the file called name does not exist any more.
func (t *Tree) removed(name string) {
	t.note(name, func(dir, base string) {
		t.replace(dir, base, nil)
		t.dropEmptied(dir)
	})
}

// madeDir records that the directory called name exists now.
func (t *Tree) madeDir(name string) {
	t.note(name, func(dir, base string) {
		t.invalidateTree(name)
		e := remote.Entry{Name: base, Dir: true, ModTime: time.Now()}
		if t.implicit { // it keeps no time
			e.ModTime = time.Time{}
		}
		t.replace(dir, base, &e)
		t.noteTime(dir, time.Now())
		t.noteParents(dir)
	})
}

// removedDir records that the directory called name does not exist any more.
func (t *Tree) removedDir(name string) {
	t.note(name, func(dir, base string) {
		t.invalidateTree(name)
		t.replace(dir, base, nil)
		t.dropEmptied(dir)
	})
}

// Renamed records that from is now, or has turned out to be, called to.
func (t *Tree) Renamed(from, to string) {
	t.note(from, func(fromDir, fromBase string) {
		moved, known := t.lastKnown(from)
		t.dropTwins(to)
		t.invalidateTree(from)
		t.invalidateTree(to)
		t.replace(fromDir, fromBase, nil)
		t.dropEmptied(fromDir)
		toDir, toBase := remote.Split(to)
		if !known {
			t.dropListing(toDir)
			t.replace(toDir, toBase, nil)
			return
		}
		moved.Name = toBase
		t.replace(toDir, toBase, &moved)
		t.noteParents(toDir)
	})
}

// Invalidate expires name, which an operation may have changed. The last known entry is still used
// when the remote does not answer.
func (t *Tree) Invalidate(name string) {
	t.note(name, func(dir, _ string) {
		t.changes++
		if l := t.dirs[dir]; l != nil {
			l.at = time.Time{}
		}
		delete(t.flights, dir)
		if p, ok := t.names[name]; ok && p.exists {
			p.at = time.Time{}
			t.names[name] = p
		} else {
			t.dropName(name)
		}
	})
}

// Forget drops names, everything below them, and the listings that contain them. Without a name it
// drops everything.
func (t *Tree) Forget(names ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(names) == 0 {
		t.changes++
		t.dropAll()
		clear(t.flights)
	}
	for _, name := range names {
		t.dropTwins(name)
		t.invalidateTree(name)
		if name != "." {
			dir, _ := remote.Split(name)
			t.dropListing(dir)
			delete(t.flights, dir)
		}
	}
}

// replace sets the entry base of dir to e; nil removes it.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) replace(dir, base string, e *remote.Entry) {
	t.changes++
	delete(t.flights, dir)
	t.dropName(remote.Join(dir, base))
	if e != nil {
		t.noteTime(dir, e.ModTime)
	}
	l := t.dirs[dir]
	if l == nil {
		return
	}
	if l.changed == nil {
		l.changed = map[string]*remote.Entry{}
	}
	t.noteAppeared(l, base, e)
	l.changed[base] = e
	if len(l.changed) > 64+len(l.base)/8 {
		t.rebase(l)
	}
}

// noteParents records that dir and all its parents exist: on a remote with implicit directories,
// they appear together with a file.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) noteParents(dir string) {
	for dir != "." {
		t.dropName(dir)
		parent, base := remote.Split(dir)
		if l := t.dirs[parent]; l != nil {
			if _, ok := t.lookup(l, base); !ok {
				t.dropListing(parent)
				delete(t.flights, parent)
			}
		}
		dir = parent
	}
}

// dropEmptied records that an entry of dir was removed: on a remote with implicit directories, dir
// may have vanished with it.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) dropEmptied(dir string) {
	if !t.implicit {
		return
	}
	for dir != "." {
		if l := t.dirs[dir]; l != nil && !l.empty() {
			return
		}
		parent, _ := remote.Split(dir)
		t.dropName(dir)
		t.dropListing(dir)
		t.dropListing(parent)
		delete(t.flights, dir)
		delete(t.flights, parent)
		dir = parent
	}
}

// lastKnown returns the last known entry of name, however old.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) lastKnown(name string) (remote.Entry, bool) {
	dir, base := remote.Split(name)
	if l := t.dirs[dir]; l != nil {
		return t.lookup(l, base)
	}
	p := t.names[name]
	return p.entry, p.exists
}

// invalidateTree drops name and everything below it.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) invalidateTree(name string) {
	t.changes++
	for dir := range t.flights {
		if dir == name || remote.Below(dir, name) {
			delete(t.flights, dir)
		}
	}
	if t.spellings != nil {
		for _, p := range t.spellings.find(name).appendTree(nil) {
			t.dropListing(p)
			t.dropName(p)
		}
		return
	}
	delete(t.names, name)
	for dir := range t.dirs {
		if dir == name || remote.Below(dir, name) {
			t.dropListing(dir)
		}
	}
	for p := range t.names {
		if remote.Below(p, name) {
			delete(t.names, p)
		}
	}
}
