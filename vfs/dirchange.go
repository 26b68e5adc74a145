package vfs

import (
	"context"
	"slices"
	"strings"
	"time"

	"ferry/remote"
)

// What is changed through ferry changes the cache at once, so that every session sees it. A listing that is under way
// while its directory changes is not joined any more, and not remembered: nobody knows what it has seen.

// stored notes that name is a file now, as e describes it.
func (c *dirCache) stored(name string, e remote.Entry) {
	if c.live {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	dir, base := remote.Split(name)
	e.Name = base
	if e.ModTime.IsZero() {
		e.ModTime = time.Now()
	}
	c.replace(dir, base, &e)
	c.appeared(dir)
}

// removed notes that there is no file called name any more.
func (c *dirCache) removed(name string) {
	if c.live {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	dir, base := remote.Split(name)
	c.replace(dir, base, nil)
	c.mayVanish(dir)
}

// madeDir notes that there is a directory called name now.
func (c *dirCache) madeDir(name string) {
	if c.live {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	dir, base := remote.Split(name)
	c.forget(name)
	e := remote.Entry{Name: base, Dir: true, ModTime: time.Now()}
	if c.implicit { // it will not be told a time
		e.ModTime = time.Time{}
	}
	c.replace(dir, base, &e)
	c.noteTime(dir, time.Now())
	c.appeared(dir)
}

// removedDir notes that there is no directory called name any more.
func (c *dirCache) removedDir(name string) {
	if c.live {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	dir, base := remote.Split(name)
	c.forget(name)
	c.replace(dir, base, nil)
	c.mayVanish(dir)
}

// renamed notes that what was called from is called to now.
func (c *dirCache) renamed(from, to string) {
	if c.live {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fromDir, fromBase := remote.Split(from)
	toDir, toBase := remote.Split(to)
	var moved *remote.Entry
	if l := c.dirs[fromDir]; l != nil {
		if e, ok := l.lookup(fromBase); ok {
			moved = &e
		}
	} else if p := c.points[from]; p.exists {
		moved = &p.entry
	}
	c.forget(from)
	c.forget(to)
	c.replace(fromDir, fromBase, nil)
	c.mayVanish(fromDir)
	if moved == nil {
		c.drop(toDir)
		c.replace(toDir, toBase, nil)
		return
	}
	e := *moved
	e.Name = toBase
	c.replace(toDir, toBase, &e)
	c.appeared(toDir)
}

// doubt notes that an operation on name may have changed it, or may not. What was known is shown where the remote does not
// say what is.
func (c *dirCache) doubt(name string) {
	if c.live {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	dir, _ := remote.Split(name)
	if l := c.dirs[dir]; l != nil {
		l.at = time.Time{}
	}
	delete(c.flights, dir)
	if p, ok := c.points[name]; ok && p.exists {
		p.at = time.Time{}
		c.points[name] = p
	} else {
		delete(c.points, name)
	}
}

// replace puts e in the place of what dir has under that name; nil is nothing.
// LOCKS_REQUIRED(c.mu)
func (c *dirCache) replace(dir, base string, e *remote.Entry) {
	c.changes++
	delete(c.flights, dir)
	delete(c.points, remote.Join(dir, base))
	if e != nil {
		c.noteTime(dir, e.ModTime)
	}
	l := c.dirs[dir]
	if l == nil {
		return
	}
	if l.changed == nil {
		l.changed = map[string]*remote.Entry{}
	}
	l.changed[base] = e
	if len(l.changed) > 64+len(l.base)/8 {
		c.rebase(l)
	}
}

// rebase makes the changes part of the base.
// LOCKS_REQUIRED(c.mu)
func (c *dirCache) rebase(l *listing) {
	base := make([]remote.Entry, 0, len(l.base)+len(l.changed))
	(&snapshot{base: l.base, changed: l.changed}).yield(func(e remote.Entry, _ error) bool {
		base = append(base, e)
		return true
	})
	sortEntries(base)
	c.count += len(base) - len(l.base)
	gained := weightOfAll(base) - weightOfAll(l.base)
	c.weight += gained
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

// appeared notes that dir exists, and so do all above it: on a remote whose directories exist by having files in them,
// they have come with the file.
// LOCKS_REQUIRED(c.mu)
func (c *dirCache) appeared(dir string) {
	for dir != "." {
		delete(c.points, dir)
		parent, base := remote.Split(dir)
		if l := c.dirs[parent]; l != nil {
			if _, ok := l.lookup(base); !ok {
				c.drop(parent)
				delete(c.flights, parent)
			}
		}
		dir = parent
	}
}

// mayVanish notes that something in dir is gone: on a remote whose directories exist by having files in them, dir may be
// gone with it.
// LOCKS_REQUIRED(c.mu)
func (c *dirCache) mayVanish(dir string) {
	if !c.implicit {
		return
	}
	for dir != "." {
		if l := c.dirs[dir]; l != nil && !l.empty() {
			return
		}
		parent, _ := remote.Split(dir)
		delete(c.points, dir)
		c.drop(dir)
		c.drop(parent)
		delete(c.flights, dir)
		delete(c.flights, parent)
		dir = parent
	}
}

// LOCKS_REQUIRED(dirCache.mu)
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
// LOCKS_REQUIRED(c.mu)
func (c *dirCache) forget(name string) {
	c.changes++
	delete(c.points, name)
	for dir := range c.dirs {
		if dir == name || remote.Below(dir, name) {
			c.drop(dir)
		}
	}
	for dir := range c.flights {
		if dir == name || remote.Below(dir, name) {
			delete(c.flights, dir)
		}
	}
	for p := range c.points {
		if remote.Below(p, name) {
			delete(c.points, p)
		}
	}
}

// forgetAll drops everything.
func (c *dirCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	clear(c.dirs)
	clear(c.points)
	clear(c.flights)
	c.recent.Init()
	c.count, c.weight = 0, 0
}

// lose forgets name and everything below it, and the listing that it is in.
func (c *dirCache) lose(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(name)
	if name != "." {
		dir, _ := remote.Split(name)
		c.drop(dir)
		delete(c.flights, dir)
	}
}

// refresh lists dir anew.
func (c *dirCache) refresh(ctx context.Context, dir string, recursive bool) error {
	if c.live {
		return nil
	}
	c.mu.Lock()
	c.drop(dir)
	delete(c.flights, dir)
	c.mu.Unlock()
	var first error
	var below []string
	for e, err := range c.List(ctx, dir) {
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
		if err := c.refresh(ctx, d, true); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (c *dirCache) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{Dirs: len(c.dirs), Files: c.count - len(c.dirs)}
}

// close ends the listings under way.
func (c *dirCache) close() {
	c.mu.Lock()
	for f := range c.flying {
		f.cancel()
	}
	c.mu.Unlock()
	c.running.Wait()
}
