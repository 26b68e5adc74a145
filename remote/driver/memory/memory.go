// Package memory is a remote that keeps its files in the memory of the process: the reference
// implementation of the contracts of package remote, with every optional interface. Nothing
// survives the process.
package memory

import (
	"context"
	"strings"
	"sync"
	"time"

	"ferry/remote"
)

// Remote is an in-memory tree of files. Permission bits mean what they say: a file without a write
// bit cannot be replaced, and nothing can be made, removed or renamed in a directory without one.
type Remote struct {
	mu      sync.RWMutex
	root    *node               // guarded by mu, and so is everything below it
	last    uint64              // guarded by mu; the last number given out as an ID or version
	watches map[*watch]struct{} // guarded by mu
}

// New returns an empty remote. Two of them share nothing.
func New() *Remote {
	r := &Remote{watches: map[*watch]struct{}{}}
	r.root = r.newDir()
	return r
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info {
	return remote.Info{Name: "memory:", Caps: remote.Caps{
		Modes:     true,
		MoveDir:   true,
		CheapStat: true,
		ModTime:   time.Nanosecond,
	}}
}

// Close implements remote.Remote. There is nothing to free.
func (r *Remote) Close() error { return nil }

// lookup finds the node called name.
// LOCKS_REQUIRED(r.mu)
func (r *Remote) lookup(name string) (*node, error) {
	n := r.root
	if name == "." {
		return n, nil
	}
	for elem := range strings.SplitSeq(name, "/") {
		if !n.isDir() {
			return nil, remote.ErrNotDir
		}
		n = n.entries[elem]
		if n == nil {
			return nil, remote.ErrNotExist
		}
	}
	return n, nil
}

// parent finds the directory that holds name, or would hold it, and the last element of name.
// LOCKS_REQUIRED(r.mu)
func (r *Remote) parent(name string) (*node, string, error) {
	dir, base := remote.Split(name)
	n, err := r.lookup(dir)
	if err != nil {
		return nil, "", err
	}
	if !n.isDir() {
		return nil, "", remote.ErrNotDir
	}
	return n, base, nil
}

// file finds the file called name.
// LOCKS_REQUIRED(r.mu)
func (r *Remote) file(name string) (*node, error) {
	n, err := r.lookup(name)
	if err == nil && n.isDir() {
		err = remote.ErrIsDir
	}
	return n, err
}

// check is what every operation begins with.
func check(ctx context.Context, op, name string) error {
	return remote.Fail(op, name, remote.Check(ctx, name))
}
