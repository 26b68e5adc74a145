package objects

import (
	"context"
	"errors"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"ferry/remote"
)

// A store knows keys only. Whether a name is a directory, a file, or something below a file has to
// be asked, and asking costs as much as storing a small file. Dirs asks once and remembers.
//
// A name that is both the key of an object and the beginning of others is a directory: what is in
// it can be reached, and the object of its name is hidden. Other programs make such names; nobody
// makes one through a Tree.

const (
	// trust is how long what a listing said counts.
	trust = 5 * time.Minute
	// childTrust is how long something that was seen in a directory is taken to be there still.
	childTrust = 10 * time.Second
	// pageSize is how much of a directory is listed to know the names in it.
	pageSize = 1000
	// sampleSize is how much of a directory is listed to know that something stays in it. So many
	// files can be removed before it is listed again.
	sampleSize = 100

	maxDirs  = 1 << 14
	maxPlain = 1 << 16
)

// Dirs is what a process knows of the directories of a store. Its methods may be called
// concurrently.
type Dirs struct {
	tree *Tree
	root Key // the directory that is always there
	seed maphash.Seed

	mu      sync.Mutex
	dirs    map[Key]*dir         // guarded by mu; what was seen to be a directory
	plain   map[uint64]time.Time // guarded by mu; what is a file and no directory, by the hash of its key
	leaving map[Key]int          // guarded by mu; what is being removed
	removed map[Key]time.Time    // guarded by mu; what was removed a moment ago
	kept    map[Key]struct{}     // guarded by mu; directories that are there because this process says so
	dropped time.Time            // guarded by mu; when a directory was forgotten to make room
	hidden  map[Key]struct{}     // guarded by mu; files hidden by directories, of which the log has been told
}

// newDirs returns what knows the directories of t.
func newDirs(t *Tree) *Dirs {
	return &Dirs{
		tree: t, root: Key{t.bucket, strings.TrimSuffix(t.prefix, "/")}, seed: maphash.MakeSeed(),
		dirs: map[Key]*dir{}, plain: map[uint64]time.Time{}, leaving: map[Key]int{}, removed: map[Key]time.Time{}, kept: map[Key]struct{}{},
		hidden: map[Key]struct{}{},
	}
}

// Target returns remote.ErrIsDir when a directory is called k, and remote.ErrNotDir when something
// above k is a file. Of a directory that was listed it asks nothing, of any other once.
func (d *Dirs) Target(ctx context.Context, k Key) error {
	if d.top(k) {
		return remote.ErrIsDir
	}
	switch d.recall(k) {
	case isDir:
		return d.NotDir(ctx, k)
	case noDir:
		return d.Parents(ctx, k)
	}
	if err := d.explore(ctx, k); err != nil {
		return err
	}
	switch d.recall(k) {
	case isDir:
		return remote.ErrIsDir
	case noDir:
		return nil
	}
	return d.NotDir(ctx, k)
}

// explore lists the directory that k is in, unless it is known to be too large for that.
func (d *Dirs) explore(ctx context.Context, k Key) error {
	parent, _ := above(k)
	d.mu.Lock()
	known := d.dirs[parent]
	large := known != nil && time.Since(known.large) < trust
	d.mu.Unlock()
	if large {
		return nil
	}
	names, _, err := d.look(ctx, parent, pageSize)
	if err != nil || len(names) > 0 || d.top(parent) {
		return err
	}
	if err := d.Parents(ctx, k); err != nil {
		return err
	}
	d.setPlain(k, time.Now())
	return nil
}

// NotKnownDir returns remote.ErrIsDir when a directory is called k. It asks nothing of a name that
// was seen to be none, and reports whether it has asked.
func (d *Dirs) NotKnownDir(ctx context.Context, k Key) (asked bool, err error) {
	if d.recall(k) == noDir {
		return false, nil
	}
	return true, d.NotDir(ctx, k)
}

// NotDir returns remote.ErrIsDir when a directory is called k. It always asks.
func (d *Dirs) NotDir(ctx context.Context, k Key) error {
	is, err := d.Is(ctx, k)
	if err == nil && is {
		err = remote.ErrIsDir
	}
	return err
}

// Is reports whether a directory is called k. It always asks.
func (d *Dirs) Is(ctx context.Context, k Key) (bool, error) {
	if d.top(k) {
		return true, nil
	}
	names, err := d.inside(ctx, k)
	if err != nil {
		return false, err
	}
	return d.isWith(ctx, k, names)
}

// inside returns some names in k. Without any, k is no directory, unless it is kept in mind.
func (d *Dirs) inside(ctx context.Context, k Key) ([]string, error) {
	names, _, err := d.look(ctx, k, sampleSize)
	if err == nil && len(names) == 0 {
		d.foundNothing(k)
	}
	return names, err
}

// Empty reports whether nothing is in the directory k, which is not looked for itself.
func (d *Dirs) Empty(ctx context.Context, k Key) (bool, error) {
	names, _, err := d.look(ctx, k, sampleSize)
	return len(names) == 0, err
}

// isWith is Is for a k in which names were found.
func (d *Dirs) isWith(ctx context.Context, k Key, names []string) (bool, error) {
	if len(names) > 0 {
		return true, nil
	}
	if d.Keeps(k) {
		o, err := d.tree.store.Head(ctx, k)
		switch {
		case errors.Is(err, remote.ErrNotExist):
			return true, nil
		case err != nil:
			return false, err
		}
		return d.Hides(ctx, k, o)
	}
	return false, nil
}

// Parents returns remote.ErrNotDir when something above k is a file. It asks about what was not
// seen to be a directory.
func (d *Dirs) Parents(ctx context.Context, k Key) error {
	for p, _ := above(k); !d.top(p) && d.recall(p) != isDir; p, _ = above(p) {
		o, err := d.tree.store.Head(ctx, p)
		switch {
		case errors.Is(err, remote.ErrNotExist):
			continue
		case err != nil:
			return err
		case o.Dir:
			return nil
		}
		if hides, err := d.Hides(ctx, p, o); err != nil || hides {
			return err
		}
		return remote.ErrNotDir
	}
	return nil
}

// Hides reports whether a directory has the name of the object o, whose key is k. It asks once.
func (d *Dirs) Hides(ctx context.Context, k Key, o Object) (bool, error) {
	if o.Dir || d.top(k) {
		return true, nil
	}
	if d.recall(k) == noDir {
		return false, nil
	}
	names, err := d.inside(ctx, k)
	if err != nil {
		return false, err
	}
	return d.hidesWith(ctx, k, o, names), nil
}

// hidesWith is Hides for a k in which names were found.
func (d *Dirs) hidesWith(ctx context.Context, k Key, o Object, names []string) bool {
	if len(names) == 0 {
		d.forget(k) // somebody has stored a file in its place
		d.Gone(k)
		d.Stored(k)
		return false
	}
	d.Hidden(ctx, k, o)
	return true
}

// Hidden notes that the directory k hides the object o of its name. The log is told once, if that
// has a content.
func (d *Dirs) Hidden(ctx context.Context, k Key, o Object) {
	d.mu.Lock()
	_, told := d.hidden[k]
	if told = told || o.Size == 0; !told {
		evict(d.hidden, maxDirs)
		d.hidden[k] = struct{}{}
	}
	d.mu.Unlock()
	if !told {
		remote.Warn(ctx, "a file is hidden by a directory of the same name: rename one of them where it was made",
			"bucket", k.Bucket, "key", k.Name, "size", o.Size)
	}
}

// look asks what is in dir, and remembers it.
func (d *Dirs) look(ctx context.Context, at Key, limit int) (names []string, whole bool, err error) {
	began := time.Now()
	names, whole, err = d.tree.some(ctx, at, limit)
	if err != nil {
		return nil, false, err
	}
	l := d.Listing(at)
	for _, name := range names {
		l.Saw(name)
	}
	switch {
	case whole:
		l.Whole()
	case limit >= pageSize:
		d.mu.Lock()
		d.see(at).large = began
		d.mu.Unlock()
	}
	return names, whole, nil
}
