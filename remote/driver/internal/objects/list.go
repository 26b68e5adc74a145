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
		_, base := remote.Split(dir)
		for e, err := range t.list(ctx, k, base) {
			if !yield(e, fail(ctx, "list", dir, err)) || err != nil {
				return
			}
		}
	}
}

// list lists k, which is called base.
func (t *Tree) list(ctx context.Context, k Key, base string) iter.Seq2[remote.Entry, error] {
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
		l.dropOrphans(ctx)
		if !l.end() {
			return
		}
		if l.found || t.isRoot(k) || t.isBucket(k) {
			t.listParts(ctx, k, yield)
			return
		}
		o, err := t.store.Head(ctx, k)
		switch {
		case err == nil && o.Dir: // an empty directory by the service's own convention
			t.listParts(ctx, k, yield)
			return
		case err == nil:
			t.dirs.foundNothing(k)
			err = &remote.FileError{Entry: entry(base, o)}
		case !errors.Is(err, remote.ErrNotExist):
		case t.dirs.Keeps(k):
			t.listParts(ctx, k, yield)
			return
		default:
			t.dirs.foundNothing(k)
			if !t.listParts(ctx, k, yield) {
				return
			}
		}
		yield(remote.Entry{}, err)
	}
}

// listParts passes on the unfinished uploads of files in k, and reports whether to go on.
func (t *Tree) listParts(ctx context.Context, k Key, yield func(remote.Entry, error) bool) bool {
	for e, err := range t.partsOf(ctx, k) {
		if !yield(e, err) || err != nil {
			return false
		}
	}
	return true
}

// A listing turns what a store lists of one directory, in the order of the keys, into entries. A
// file is held back until it is known whether a directory hides it: that comes behind it, after
// nothing but names that begin with it. Dirs is told of all.
type listing struct {
	tree   *Tree
	bucket string
	prefix string // of every key
	yield  func(remote.Entry, error) bool
	notes  *Listing
	held   []held              // files whose names the last one begins with
	kept   map[string]struct{} // directories that the store does not know, by element

	found   bool     // something was there, if only the marker
	dir     string   // the last prefix
	orphans []string // hidden keys that are too old
}

// held is a file that may be hidden by a directory.
type held struct {
	raw    string
	object Object
	entry  remote.Entry
	shown  bool
}

func (t *Tree) listing(k, inside Key, yield func(remote.Entry, error) bool) *listing {
	l := &listing{tree: t, bucket: k.Bucket, prefix: inside.Name, yield: yield, kept: map[string]struct{}{}}
	if inside.Bucket == "" {
		l.prefix = ""
	}
	at := Key{k.Bucket, strings.TrimSuffix(l.prefix, "/")}
	l.notes = t.dirs.Listing(at)
	for _, raw := range t.dirs.KeptIn(at) {
		l.kept[raw] = struct{}{}
	}
	return l
}

// take passes o on, if it is an entry of the directory. It is false when yield was.
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
	if l.prefix == l.tree.prefix && Ours(raw) {
		return true
	}
	if l.tree.hides(raw) {
		if p, ok := partname.Parse(raw); ok && p.Slot > 0 && !o.ModTime.IsZero() && l.tree.ages.Exceed(o.ModTime, orphanAge) {
			l.orphans = append(l.orphans, o.Name)
		}
		return true
	}
	l.notes.Saw(elem)
	if elem == "" {
		return true
	}
	name, shown := l.tree.names.Name(raw)
	if !shown {
		Omit(ctx, elem, o.Name)
	}
	if !l.settle(elem) {
		return false
	}
	delete(l.kept, raw)
	if !isPrefix {
		l.held = append(l.held, held{raw, o, entry(name, o), shown})
		return true
	}
	l.dir = o.Name
	if n := len(l.held); n > 0 && l.held[n-1].raw == raw {
		hidden := l.held[n-1].object
		l.tree.dirs.Hidden(ctx, Key{l.bucket, hidden.Name}, hidden)
		l.held = l.held[:n-1]
	}
	return !shown || l.yield(remote.Entry{Name: name, Dir: true}, nil)
}

// settle passes on the files that cannot be hidden any more, as the listing has come to elem.
func (l *listing) settle(elem string) bool {
	for n := len(l.held) - 1; n >= 0 && elem > l.held[n].raw+"/"; n-- {
		h := l.held[n]
		l.held = l.held[:n]
		if h.shown && !l.yield(h.entry, nil) {
			return false
		}
	}
	return true
}

// end passes on what is left when there is nothing more.
func (l *listing) end() bool {
	l.notes.Whole()
	for _, h := range l.held {
		if h.shown && !l.yield(h.entry, nil) {
			return false
		}
	}
	for raw := range l.kept {
		if name, shown := l.tree.names.Name(raw); shown && !l.yield(remote.Entry{Name: name, Dir: true}, nil) {
			return false
		}
	}
	return true
}

// dropOrphans deletes what killed processes left. That it cannot be deleted does not concern who
// lists.
func (l *listing) dropOrphans(ctx context.Context) {
	for _, name := range l.orphans {
		_ = l.tree.store.Delete(ctx, Key{Bucket: l.bucket, Name: name}, "")
	}
}
