package objects

import (
	"context"
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
	if !d.tree.config.NoMarkers {
		err := d.tree.mark(ctx, d.tree.inside(at))
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

// Removed notes that the directory k was removed.
func (d *Dirs) Removed(k Key) {
	d.forget(k)
	d.Gone(k)
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
