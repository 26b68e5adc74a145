package objects

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

// orphanAge is when a hidden object was surely left behind by a process that was killed: no upload
// needs one for longer than its last two requests.
const orphanAge = 24 * time.Hour

// List implements remote.Remote, one request for each page. Keys without a name are left out; see
// Names.
func (t *Tree) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		k, err := t.key(ctx, "list", dir)
		if err != nil {
			yield(remote.Entry{}, err)
			return
		}
		for e, err := range t.list(ctx, k) {
			if !yield(e, fail(ctx, "list", dir, err)) || err != nil {
				return
			}
		}
	}
}

func (t *Tree) list(ctx context.Context, k Key) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		inside := t.inside(k)
		l := t.listing(k, inside, yield)
		for o, err := range t.children(ctx, inside, 0) {
			if err == nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				yield(remote.Entry{}, err)
				return
			}
			if !l.take(ctx, o) {
				return
			}
		}
		l.dropOrphans(ctx, k.Bucket)
		if !l.end() || l.found || t.isRoot(k) || t.isBucket(k) {
			return
		}
		err := remote.ErrNotExist
		if o, headErr := t.store.Head(ctx, k); headErr == nil && !o.Dir {
			err = remote.ErrNotDir
		} else if headErr == nil {
			return // an empty directory by the service's own convention
		} else if !errors.Is(headErr, remote.ErrNotExist) {
			err = headErr
		} else if t.dirs.Keeps(k) {
			return
		}
		yield(remote.Entry{}, err)
	}
}

// A listing turns the pages of one directory into entries.
type listing struct {
	tree   *Tree
	prefix string // of every key
	sifter *Sifter

	found   bool     // something was there, if only the marker
	dir     string   // the last prefix
	orphans []string // hidden keys that are too old
}

func (t *Tree) listing(k, inside Key, yield func(remote.Entry, error) bool) *listing {
	l := &listing{tree: t, prefix: inside.Name}
	if inside.Bucket == "" {
		l.prefix = ""
	}
	l.sifter = t.dirs.Sift(Key{k.Bucket, strings.TrimSuffix(l.prefix, "/")}, yield)
	return l
}

// take hands o to the sifter, if it is an entry of the directory.
func (l *listing) take(ctx context.Context, o Object) bool {
	l.found = true
	elem, inside := strings.CutPrefix(o.Name, l.prefix)
	if !inside {
		return true
	}
	raw, isPrefix := strings.CutSuffix(elem, "/")
	if isPrefix && o.Name <= l.dir {
		return true // some services repeat prefixes on every page
	}
	if l.tree.hides(raw) {
		if p, ok := partname.Parse(raw); ok && p.Slot > 0 && !o.ModTime.IsZero() && l.tree.ages.Exceed(o.ModTime, orphanAge) {
			l.orphans = append(l.orphans, o.Name)
		}
		return true
	}
	if elem == "" {
		l.sifter.Marker()
		return true
	}
	name, ok := l.tree.names.Name(raw)
	if !ok {
		Omit(ctx, elem, o.Name)
	}
	if isPrefix {
		l.dir = o.Name
		return l.sifter.Dir(ctx, raw, name, ok)
	}
	return l.sifter.File(raw, o, entry(name, o), ok)
}

// end yields what is left when there is nothing more.
func (l *listing) end() bool {
	return l.sifter.End(l.tree.names.Name)
}

// dropOrphans deletes what killed processes left. That it cannot be deleted does not concern who
// lists.
func (l *listing) dropOrphans(ctx context.Context, bucket string) {
	for _, name := range l.orphans {
		_ = l.tree.store.Delete(ctx, Key{Bucket: bucket, Name: name}, "")
	}
	l.orphans = nil
}
