package writeback

import (
	"context"
	"errors"
	"iter"

	"ferry/remote"
)

// List implements remote.Remote: the entries of the remote that are not removed or replaced by
// pending changes, and the pending files and directories.
func (v *Tree) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		if err := v.check(ctx, "list", dir); err != nil {
			yield(remote.Entry{}, err)
			return
		}
		l, err := v.newListing(dir)
		if err != nil {
			l.fail(err, yield)
			return
		}
		if l.remote && !l.yieldRemote(v.names.List(ctx, dir), yield) {
			return
		}
		if ctx.Err() != nil {
			yield(remote.Entry{}, pathError("list", dir, context.Cause(ctx)))
			return
		}
		l.yieldRest(yield)
	}
}

// An overlaid is a listing of the Tree.
type overlaid struct {
	v       *Tree
	dir     string
	remote  bool // the remote may have entries there
	exists  bool // the directory exists, whether or not on the remote
	waiting trie[child]
	there   map[string]bool // directories of the remote with pending changes in them, by key
	parts   []remote.Entry
}

// newListing takes a snapshot of the pending changes in dir. An error is that of the listing.
func (v *Tree) newListing(dir string) (*overlaid, error) {
	l := &overlaid{v: v, dir: dir, there: map[string]bool{}}
	for _, p := range v.store.PartsIn(dir) {
		l.parts = append(l.parts, partEntry(p))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	st, c := v.pending.look(dir)
	switch st {
	case isFile, isMoved, underFile:
		return l, remote.ErrNotDir
	case isDeleted:
		return l, remote.ErrNotExist
	case isDir:
		l.exists = true
		l.remote = c == nil && v.pending.newest(dir) == nil // the remote does not have a directory that was created here, or that was a file
	case unknown:
		l.remote = true
	}
	l.waiting = v.pending.children(dir)
	return l, nil
}

// hides reports whether the remote's entry e is not shown, or is replaced by a pending one.
func (l *overlaid) hides(e remote.Entry) bool {
	if e.Part != "" {
		return !l.v.showsRemoteParts()
	}
	k := l.v.pending.keyOf(e.Name)
	c, waits := l.waiting.get(k)
	if waits && !c.own && c.state == isDir {
		l.there[k] = true
	}
	return waits && c.own
}

// yieldRemote yields the entries of the remote, and reports whether the consumer wants more.
func (l *overlaid) yieldRemote(entries iter.Seq2[remote.Entry, error], yield func(remote.Entry, error) bool) bool {
	for e, err := range entries {
		if err != nil {
			if l.exists && (errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrNotDir)) {
				return true
			}
			l.fail(err, yield)
			return false
		}
		if !l.hides(e) && !yield(e, nil) {
			return false
		}
	}
	return true
}

// fail ends the listing with err. The unfinished uploads into a directory that comes with its first
// file precede that it is missing.
func (l *overlaid) fail(err error, yield func(remote.Entry, error) bool) {
	if l.v.caps.ImplicitDirs && errors.Is(err, remote.ErrNotExist) && !l.yieldParts(yield) {
		return
	}
	yield(remote.Entry{}, pathError("list", l.dir, err))
}

func (l *overlaid) yieldRest(yield func(remote.Entry, error) bool) {
	for e := range l.described() {
		if !yield(e, nil) {
			return
		}
	}
	l.yieldParts(yield)
}

func (l *overlaid) yieldParts(yield func(remote.Entry, error) bool) bool {
	for _, e := range l.parts {
		if !yield(e, nil) {
			return false
		}
	}
	return true
}

// described yields the pending entries that the remote's listing did not include.
func (l *overlaid) described() iter.Seq[remote.Entry] {
	return func(yield func(remote.Entry) bool) {
		children := make([]child, 0, batch)
		flush := func() bool {
			for _, e := range l.v.describeAll(children) {
				if !yield(e) {
					return false
				}
			}
			children = children[:0]
			return true
		}
		for k, c := range l.waiting.all() {
			if c.state == unknown || c.state == isDeleted || l.there[k] {
				continue
			}
			if children = append(children, c); len(children) == batch && !flush() {
				return
			}
		}
		flush()
	}
}

// describeAll returns the entries of pending files and directories.
func (v *Tree) describeAll(children []child) []remote.Entry {
	entries := make([]remote.Entry, 0, len(children))
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range children {
		entries = append(entries, v.describe(c.name, c.state, c.change))
	}
	return entries
}
