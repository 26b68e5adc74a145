package objects

import (
	"context"
	"slices"
	"strings"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

// A directory lives until it is removed. One that was made by its files alone would vanish with the
// last of them: so before that goes the marker is stored, or, where there are to be none, the
// directory is kept in mind.

// Leave makes sure that the directory which k is in stays when k is removed, a file or a directory.
// done is called when k was removed, or was not. It asks once for many files of a directory.
func (d *Dirs) Leave(ctx context.Context, k Key) (done func(), err error) {
	parent, name := above(k)
	if d.top(parent) {
		return func() {}, nil
	}
	d.mu.Lock()
	d.leaving[k]++
	stays := d.stays(parent)
	d.mu.Unlock()
	done = func() { d.left(k) }
	if !stays {
		err = d.leaveLast(ctx, parent, name)
	}
	if err != nil {
		done()
		return nil, err
	}
	return done, nil
}

// left notes that k is not being removed any more.
func (d *Dirs) left(k Key) {
	parent, name := above(k)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.leaving[k]--; d.leaving[k] == 0 {
		delete(d.leaving, k)
	}
	evict(d.removed, maxRemoved)
	d.removed[k] = time.Now()
	if p := d.dirs[parent]; p != nil {
		delete(p.children, name)
	}
	delete(d.plain, d.hash(k))
}

// maxRemoved is more than can be removed while a directory is listed.
const maxRemoved = 1 << 12

// goes reports whether k is being removed, or was since a listing began that may have seen it.
// LOCKS_REQUIRED(d.mu)
func (d *Dirs) goes(k Key, began time.Time) bool {
	removed, ok := d.removed[k]
	return d.leaving[k] > 0 || ok && !removed.Before(began)
}

// stays reports whether the directory k surely goes on without what is being removed from it.
// LOCKS_REQUIRED(d.mu)
func (d *Dirs) stays(k Key) bool {
	known := d.dirs[k]
	if _, kept := d.kept[k]; kept || known == nil {
		return kept
	}
	if time.Since(known.marked) < trust {
		return true
	}
	for name, seen := range known.children {
		if d.leaving[k.below(name)] == 0 && time.Since(seen) < childTrust {
			return true
		}
	}
	return false
}

// leaveLast asks whether name is the last that there is in the directory, and then sees to it that
// the directory stays.
func (d *Dirs) leaveLast(ctx context.Context, at Key, name string) error {
	began := time.Now()
	names, _, err := d.look(ctx, at, sampleSize)
	if err != nil {
		return err
	}
	d.mu.Lock()
	last := d.keeps(at.below(name))
	for _, n := range names {
		elem := strings.TrimSuffix(n, "/")
		switch {
		case n != "" && at.below(elem) == at.below(name):
			last = true
		case n != "" && (partname.Hidden(elem) || d.goes(at.below(elem), began)):
		default:
			d.mu.Unlock()
			return nil
		}
	}
	d.mu.Unlock()
	if !last {
		return nil // it is not there
	}
	if d.markers {
		err := d.store.Mark(ctx, at)
		if err == nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.see(at).marked = time.Now()
			return nil
		}
		if !remote.Permanent(err) {
			return err
		}
	}
	d.Keep(at)
	return nil
}

// Keep keeps in mind that there is a directory k: the store does not know it.
func (d *Dirs) Keep(k Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	evict(d.kept, maxDirs)
	d.kept[k] = struct{}{}
}

// Keeps reports whether a directory is called k because one that is kept in mind has that name, or
// is below it.
func (d *Dirs) Keeps(k Key) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.keeps(k)
}

// LOCKS_REQUIRED(d.mu)
func (d *Dirs) keeps(k Key) bool {
	if len(d.kept) == 0 {
		return false
	}
	if _, ok := d.kept[k]; ok {
		return true
	}
	return len(d.keptBelow(k)) > 0
}

// keptBelow returns what is kept in mind below k.
// LOCKS_REQUIRED(d.mu)
func (d *Dirs) keptBelow(k Key) []Key {
	var below []Key
	for other := range d.kept {
		if other.Bucket == k.Bucket && strings.HasPrefix(other.Name, k.Prefix()) && other != k {
			below = append(below, other)
		}
	}
	return below
}

// KeptIn returns the elements of directories in k that are kept in mind, or have such below them.
func (d *Dirs) KeptIn(k Key) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for _, other := range d.keptBelow(k) {
		name, _, _ := strings.Cut(strings.TrimPrefix(other.Name, k.Prefix()), "/")
		name = strings.TrimSuffix(name, nothing)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Removed notes that the directory k was removed.
func (d *Dirs) Removed(k Key) {
	d.forget(k)
	d.Gone(k)
}

// forget ends what is kept in mind of k.
func (d *Dirs) forget(k Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.kept, k)
}

// Renamed notes that the directory from is called to now.
func (d *Dirs) Renamed(from, to Key) {
	d.GoneBelow(from)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range append(d.keptBelow(from), from) {
		if _, ok := d.kept[k]; ok {
			delete(d.kept, k)
			if below, ok := strings.CutPrefix(k.Name, from.Prefix()); ok {
				k = Key{to.Bucket, to.Prefix() + below}
			} else {
				k = to
			}
			d.kept[k] = struct{}{}
		}
	}
}

// Move makes sure that the directory which from is in stays when the directory from is called to.
// done is called with what has come of it.
func (d *Dirs) Move(ctx context.Context, from, to Key) (done func(error), err error) {
	parent, _ := above(from)
	left := func() {}
	if to.Bucket != from.Bucket || !strings.HasPrefix(to.Name, parent.Prefix()) { // else it stays with to in it
		if left, err = d.Leave(ctx, from); err != nil {
			return nil, err
		}
	}
	return func(err error) {
		left()
		if err == nil {
			d.Renamed(from, to)
			d.Seen(to)
			d.Stored(to)
		}
	}, nil
}
