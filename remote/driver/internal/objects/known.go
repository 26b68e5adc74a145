package objects

import (
	"hash/maphash"
	"strings"
	"time"
)

// A dir is what is known of a directory.
type dir struct {
	listed   time.Time            // when it was listed to its end: all directories in it are known
	large    time.Time            // when it turned out to be too large for that
	marked   time.Time            // when its marker was seen
	children map[string]time.Time // some of what is in it
}

// knowledge is what is remembered of a name.
type knowledge uint8

const (
	unknown knowledge = iota
	isDir
	noDir // there is a file, or nothing
)

// recall returns what is remembered of k.
func (d *Dirs) recall(k Key) knowledge {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dirs[k] != nil || d.keeps(k) {
		return isDir
	}
	if since, ok := d.plain[d.hash(k)]; ok && time.Since(since) < trust {
		return noDir
	}
	parent, _ := above(k)
	if p := d.dirs[parent]; p != nil && time.Since(p.listed) < trust && p.listed.After(d.dropped) {
		return noDir
	}
	return unknown
}

func (d *Dirs) hash(k Key) uint64 { return maphash.Comparable(d.seed, k) }

func (d *Dirs) setPlain(k Key, since time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	evict(d.plain, maxPlain)
	d.plain[d.hash(k)] = since
}

// foundNothing notes that nothing is in k: that is no directory, unless it is kept in mind.
func (d *Dirs) foundNothing(k Key) {
	if !d.Keeps(k) {
		d.Gone(k)
		d.setPlain(k, time.Now())
	}
}

// Known reports whether k was seen to be a directory.
func (d *Dirs) Known(k Key) bool { return d.recall(k) == isDir }

// Seen notes that k is a directory, and so is all above it.
func (d *Dirs) Seen(k Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.see(k)
}

// see returns what is known of the directory k.
// LOCKS_REQUIRED(d.mu)
func (d *Dirs) see(k Key) *dir {
	known := d.dirs[k]
	for p := k; d.dirs[p] == nil; p, _ = above(p) {
		if evict(d.dirs, maxDirs) {
			d.dropped = time.Now()
		}
		d.dirs[p] = &dir{}
		delete(d.plain, d.hash(p))
		if p == k {
			known = d.dirs[p]
		}
		if d.top(p) {
			break
		}
	}
	return known
}

// Made notes that the directory k is new, and empty but for its marker.
func (d *Dirs) Made(k Key) {
	d.Stored(k)
	d.mu.Lock()
	known := d.see(k)
	known.listed = time.Now()
	if !d.tree.config.NoMarkers {
		known.marked = known.listed
	}
	d.mu.Unlock()
	if d.tree.config.NoMarkers {
		d.Keep(k)
	}
}

// Stored notes that there is something called k, a file unless it was seen to be a directory.
func (d *Dirs) Stored(k Key) {
	parent, name := above(k)
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.see(parent)
	if name == "" {
		return // a marker
	}
	known.note(name)
	delete(d.removed, k)
	if d.dirs[k] == nil {
		evict(d.plain, maxPlain)
		d.plain[d.hash(k)] = time.Now()
	}
}

// note notes that there is something called name in the directory.
// LOCKS_REQUIRED(Dirs.mu)
func (n *dir) note(name string) {
	if n.children == nil {
		n.children = map[string]time.Time{}
	}
	if _, ok := n.children[name]; !ok {
		evict(n.children, sampleSize)
	}
	n.children[name] = time.Now()
}

// Gone notes that k is no directory.
func (d *Dirs) Gone(k Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.dirs, k)
	parent, name := above(k)
	if p := d.dirs[parent]; p != nil {
		delete(p.children, name)
	}
}

// GoneBelow notes that k is no directory any more, and neither is anything below it.
func (d *Dirs) GoneBelow(k Key) {
	d.Gone(k)
	d.mu.Lock()
	defer d.mu.Unlock()
	for below := range d.dirs {
		if below.Bucket == k.Bucket && strings.HasPrefix(below.Name, k.Prefix()) {
			delete(d.dirs, below)
		}
	}
}

// top reports whether k is the root or a bucket: no object stands for those.
func (d *Dirs) top(k Key) bool { return k.Name == "" || k == d.root }

// goes reports whether k is being removed, or was since a listing began that may have seen it.
// LOCKS_REQUIRED(d.mu)
func (d *Dirs) goes(k Key, began time.Time) bool {
	removed, ok := d.removed[k]
	return d.leaving[k] > 0 || ok && !removed.Before(began)
}
