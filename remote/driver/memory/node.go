package memory

import (
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"time"

	"ferry/remote"
)

// A node is a file or a directory. The bytes of a file are never changed in place: readers keep the
// slice they began with, and an overwrite puts another node in its place.
type node struct {
	id      uint64
	version uint64
	mode    fs.FileMode
	modTime time.Time

	dir  *node  // that it is in; nil for the root
	name string // in dir

	data []byte // of a file

	entries map[string]*node // of a directory; nil in a file
	order   []string         // the keys of entries, sorted; nil when they have changed; never changed in place
	parts   map[partKey]part // unfinished uploads into this directory
	gone    bool             // the directory was removed
}

// partKey names an unfinished upload within its directory.
type partKey struct{ name, owner string }

// A part is what Keep left.
type part struct {
	id      uint64
	data    []byte
	modTime time.Time
}

// LOCKS_REQUIRED(r.mu)
func (r *Remote) next() uint64 {
	r.last++
	return r.last
}

// LOCKS_REQUIRED(r.mu)
func (r *Remote) newDir() *node {
	return &node{
		id:      r.next(),
		mode:    0o755,
		modTime: time.Now(),
		entries: map[string]*node{},
		parts:   map[partKey]part{},
	}
}

// LOCKS_REQUIRED(r.mu)
func (r *Remote) newFile(data []byte, mode fs.FileMode, modTime time.Time) *node {
	if modTime.IsZero() {
		modTime = time.Now()
	}
	n := r.next()
	return &node{id: n, version: n, mode: mode, modTime: modTime, data: data}
}

func (n *node) isDir() bool { return n.entries != nil }

func (n *node) readOnly() bool { return n.mode&0o222 == 0 }

// link makes child the entry called name.
func (n *node) link(name string, child *node) {
	if n.entries[name] == nil {
		n.order = nil
	}
	n.entries[name] = child
	child.dir, child.name = n, name
	n.modTime = time.Now()
}

// unlink removes the entry called name.
func (n *node) unlink(name string) {
	delete(n.entries, name)
	n.order = nil
	n.modTime = time.Now()
}

// path returns where n is, or was when it was removed.
func (n *node) path() string {
	if n.dir == nil {
		return "."
	}
	return remote.Join(n.dir.path(), n.name)
}

// names returns the names of the entries in order. The slice stays as it is when entries come and
// go.
func (n *node) names() []string {
	if n.order == nil {
		n.order = slices.Sorted(maps.Keys(n.entries))
	}
	return n.order
}

// mayReplace tells whether a file may be stored as name in the directory n.
func (n *node) mayReplace(name string) error {
	old := n.entries[name]
	switch {
	case n.gone:
		return remote.ErrNotExist
	case old != nil && old.isDir():
		return remote.ErrIsDir
	case old != nil && old.readOnly(), n.readOnly():
		return remote.ErrPermission
	}
	return nil
}

// holds reports whether the directory n has a file called name of that version, "" being none.
func (n *node) holds(name, version string) bool {
	old := n.entries[name]
	if old == nil {
		return version == ""
	}
	return !old.isDir() && old.entry(name).Version == version
}

func (n *node) entry(name string) remote.Entry {
	e := remote.Entry{
		Name:     name,
		ModTime:  n.modTime,
		Mode:     n.mode,
		Dir:      n.isDir(),
		ReadOnly: n.readOnly(),
		ID:       n.id,
	}
	if !e.Dir {
		e.Size = int64(len(n.data))
		e.Version = strconv.FormatUint(n.version, 10)
	}
	return e
}

func (p part) entry(key partKey) remote.Entry {
	return remote.Entry{
		Name:    key.name,
		Size:    int64(len(p.data)),
		ModTime: p.modTime,
		Mode:    0o644,
		ID:      p.id,
		Part:    key.owner,
	}
}
