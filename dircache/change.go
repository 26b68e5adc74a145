package dircache

import (
	"context"
	"slices"
	"strings"
	"time"

	"ferry/remote"
)

// What is changed through ferry changes the cache at once, so that every session sees it. A listing
// that is under way while its directory changes is not joined any more, and not remembered: nobody
// knows what it has seen.

// note runs change, which learns of something that happened to name, with the lock held. name is
// base in dir.
func (t *Tree) note(name string, change func(dir, base string)) {
	if t.live {
		return
	}
	dir, base := remote.Split(name)
	t.mu.Lock()
	defer t.mu.Unlock()
	change(dir, base)
}

// Stored notes that name is a file now, or has turned out to be one, as e describes it.
func (t *Tree) Stored(name string, e remote.Entry) {
	t.note(name, func(dir, base string) {
		e.Name = base
		if e.ModTime.IsZero() {
			e.ModTime = time.Now()
		}
		t.replace(dir, base, &e)
		t.appeared(dir)
	})
}

// removed notes that there is no file called name any more.
func (t *Tree) removed(name string) {
	t.note(name, func(dir, base string) {
		t.replace(dir, base, nil)
		t.mayVanish(dir)
	})
}

// madeDir notes that there is a directory called name now.
func (t *Tree) madeDir(name string) {
	t.note(name, func(dir, base string) {
		t.forget(name)
		e := remote.Entry{Name: base, Dir: true, ModTime: time.Now()}
		if t.implicit { // it will not be told a time
			e.ModTime = time.Time{}
		}
		t.replace(dir, base, &e)
		t.noteTime(dir, time.Now())
		t.appeared(dir)
	})
}

// removedDir notes that there is no directory called name any more.
func (t *Tree) removedDir(name string) {
	t.note(name, func(dir, base string) {
		t.forget(name)
		t.replace(dir, base, nil)
		t.mayVanish(dir)
	})
}

// Renamed notes that what was called from is called to now, or has turned out to be.
func (t *Tree) Renamed(from, to string) {
	t.note(from, func(fromDir, fromBase string) {
		moved, known := t.remembered(from)
		t.forget(from)
		t.forget(to)
		t.replace(fromDir, fromBase, nil)
		t.mayVanish(fromDir)
		toDir, toBase := remote.Split(to)
		if !known {
			t.drop(toDir)
			t.replace(toDir, toBase, nil)
			return
		}
		moved.Name = toBase
		t.replace(toDir, toBase, &moved)
		t.appeared(toDir)
	})
}

// remembered returns what was last known of name, however old that is.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) remembered(name string) (remote.Entry, bool) {
	dir, base := remote.Split(name)
	if l := t.dirs[dir]; l != nil {
		return l.lookup(base)
	}
	p := t.points[name]
	return p.entry, p.exists
}

// Invalidate notes that an operation on name may have changed it, or may not. What was known is
// shown where the remote does not say what is.
func (t *Tree) Invalidate(name string) {
	t.note(name, func(dir, _ string) {
		t.changes++
		if l := t.dirs[dir]; l != nil {
			l.at = time.Time{}
		}
		delete(t.flights, dir)
		if p, ok := t.points[name]; ok && p.exists {
			p.at = time.Time{}
			t.points[name] = p
		} else {
			delete(t.points, name)
		}
	})
}

// replace puts e in the place of what dir has under that name; nil is nothing.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) replace(dir, base string, e *remote.Entry) {
	t.changes++
	delete(t.flights, dir)
	delete(t.points, remote.Join(dir, base))
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
	l.changed[base] = e
	if len(l.changed) > 64+len(l.base)/8 {
		t.rebase(l)
	}
}

// rebase makes the changes part of the base.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) rebase(l *listing) {
	base := make([]remote.Entry, 0, len(l.base)+len(l.changed))
	(&snapshot{base: l.base, changed: l.changed}).yield(func(e remote.Entry, _ error) bool {
		base = append(base, e)
		return true
	})
	sortEntries(base)
	t.count += len(base) - len(l.base)
	gained := weightOfAll(base) - weightOfAll(l.base)
	t.weight += gained
	l.weight += gained
	l.base, l.changed = base, nil
}

func sortEntries(entries []remote.Entry) {
	slices.SortFunc(entries, func(a, b remote.Entry) int {
		if n := strings.Compare(a.Name, b.Name); n != 0 {
			return n
		}
		return strings.Compare(a.Part, b.Part)
	})
}

// appeared notes that dir exists, and so do all above it: on a remote whose directories exist by
// having files in them, they have come with the file.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) appeared(dir string) {
	for dir != "." {
		delete(t.points, dir)
		parent, base := remote.Split(dir)
		if l := t.dirs[parent]; l != nil {
			if _, ok := l.lookup(base); !ok {
				t.drop(parent)
				delete(t.flights, parent)
			}
		}
		dir = parent
	}
}

// mayVanish notes that something in dir is gone: on a remote whose directories exist by having
// files in them, dir may be gone with it.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) mayVanish(dir string) {
	if !t.implicit {
		return
	}
	for dir != "." {
		if l := t.dirs[dir]; l != nil && !l.empty() {
			return
		}
		parent, _ := remote.Split(dir)
		delete(t.points, dir)
		t.drop(dir)
		t.drop(parent)
		delete(t.flights, dir)
		delete(t.flights, parent)
		dir = parent
	}
}

// LOCKS_REQUIRED(Tree.mu)
func (l *listing) empty() bool {
	for i := range l.base {
		if e, ok := l.changed[l.base[i].Name]; !ok || e != nil {
			return false
		}
	}
	for _, e := range l.changed {
		if e != nil {
			return false
		}
	}
	return true
}

// forget drops what is known of name and of everything below it.
// LOCKS_REQUIRED(t.mu)
func (t *Tree) forget(name string) {
	t.changes++
	delete(t.points, name)
	for dir := range t.dirs {
		if dir == name || remote.Below(dir, name) {
			t.drop(dir)
		}
	}
	for dir := range t.flights {
		if dir == name || remote.Below(dir, name) {
			delete(t.flights, dir)
		}
	}
	for p := range t.points {
		if remote.Below(p, name) {
			delete(t.points, p)
		}
	}
}

// Forget drops what is remembered of names, of what lies below them, and the listings that they are
// in. Without a name it drops everything.
func (t *Tree) Forget(names ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(names) == 0 {
		t.changes++
		clear(t.dirs)
		clear(t.points)
		clear(t.flights)
		t.recent.Init()
		t.count, t.weight = 0, 0
	}
	for _, name := range names {
		t.forget(name)
		if name != "." {
			dir, _ := remote.Split(name)
			t.drop(dir)
			delete(t.flights, dir)
		}
	}
}

// Refresh lists dir anew, and with recursive everything below it. It goes on when a directory fails
// and returns the first error.
func (t *Tree) Refresh(ctx context.Context, dir string, recursive bool) error {
	if t.live {
		return nil
	}
	t.mu.Lock()
	t.drop(dir)
	delete(t.flights, dir)
	t.mu.Unlock()
	var first error
	var below []string
	for e, err := range t.List(ctx, dir) {
		if err != nil {
			first = err
			break
		}
		if e.Dir && e.Part == "" {
			below = append(below, remote.Join(dir, e.Name))
		}
	}
	for _, d := range below {
		if !recursive || ctx.Err() != nil {
			break
		}
		if err := t.Refresh(ctx, d, true); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Stats is a snapshot of what is remembered.
type Stats struct {
	Dirs, Files int // listings, and entries in them
}

// Stats returns what is remembered now.
func (t *Tree) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Stats{Dirs: len(t.dirs), Files: t.count - len(t.dirs)}
}

// Close ends the listings under way and waits for them. The remote stays open.
func (t *Tree) Close() error {
	t.mu.Lock()
	for f := range t.flying {
		f.cancel()
	}
	t.mu.Unlock()
	t.running.Wait()
	return nil
}
