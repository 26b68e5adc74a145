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

// orphanAge is when a hidden object was surely left behind by a process that was killed: no upload needs one for longer
// than its last two requests.
const orphanAge = 24 * time.Hour

// List implements remote.Remote, one request for each page. Keys that no name leads to are left out: those with an empty
// element, and those written otherwise than the encoding does.
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
		l := &listing{tree: t, prefix: inside.Name}
		if inside.Bucket == "" {
			l.prefix = ""
		}
		for p, err := range t.pages(ctx, inside, 0) {
			if err != nil {
				yield(remote.Entry{}, err)
				return
			}
			for e := range l.entries(p) {
				if ctx.Err() != nil {
					yield(remote.Entry{}, context.Cause(ctx))
					return
				}
				if !yield(e, nil) {
					return
				}
			}
			l.dropOrphans(ctx, k.Bucket)
		}
		if l.found || t.isRoot(k) || t.isBucket(k) {
			return
		}
		err := remote.ErrNotExist
		if o, headErr := t.store.Head(ctx, k); headErr == nil && !o.Dir {
			err = remote.ErrNotDir
		} else if headErr == nil {
			return // an empty directory by the service's own convention
		} else if !errors.Is(headErr, remote.ErrNotExist) {
			err = headErr
		}
		yield(remote.Entry{}, err)
	}
}

// pages fetches the listing of what begins with k, or of the buckets, page by page.
func (t *Tree) pages(ctx context.Context, k Key, limit int) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		token := ""
		for {
			var p Page
			var err error
			if k.Bucket == "" {
				p, err = t.buckets.PageBuckets(ctx, token)
			} else {
				p, err = t.store.Page(ctx, k, token, limit)
			}
			if !yield(p, err) || err != nil || p.Next == "" {
				return
			}
			token = p.Next
		}
	}
}

// A listing turns the pages of one directory into entries.
type listing struct {
	tree   *Tree
	prefix string // of every key

	found   bool     // something was there, if only the marker
	dir     string   // the last prefix
	files   []string // keys of files that begin the last key: a directory of that name is hidden by the file
	orphans []string // hidden keys of the page that are too old
}

// entries merges the two parts of a page by name, so that a file comes before the directory of the same name.
func (l *listing) entries(p Page) iter.Seq[remote.Entry] {
	return func(yield func(remote.Entry) bool) {
		objects, prefixes := p.Objects, p.Prefixes
		for len(objects)+len(prefixes) > 0 {
			var o Object
			if len(prefixes) == 0 || len(objects) > 0 && objects[0].Name < prefixes[0] {
				o, objects = objects[0], objects[1:]
			} else {
				o, prefixes = Object{Name: prefixes[0]}, prefixes[1:]
			}
			if e, ok := l.entry(o); ok && !yield(e) {
				return
			}
		}
	}
}

// entry describes o, unless it is none of the directory's entries.
func (l *listing) entry(o Object) (remote.Entry, bool) {
	l.found = true
	raw, isPrefix := strings.CutSuffix(strings.TrimPrefix(o.Name, l.prefix), "/")
	if raw == "" {
		return remote.Entry{}, false // the marker, or an empty element
	}
	if partname.Hidden(raw) {
		if p, ok := partname.Parse(raw); ok && p.Slot > 0 && !o.ModTime.IsZero() && l.tree.ages.Exceed(o.ModTime, orphanAge) {
			l.orphans = append(l.orphans, o.Name)
		}
		return remote.Entry{}, false
	}
	if l.seen(o.Name, isPrefix) {
		return remote.Entry{}, false
	}
	enc := l.tree.config.Encoding
	name := enc.Decode(raw)
	if strings.Contains(name, "/") || !remote.ValidPath(name) || name == "." || enc.Encode(name) != raw {
		return remote.Entry{}, false
	}
	if isPrefix {
		o.Dir = true
	}
	return entry(name, o), true
}

// seen reports whether the directory key was yielded already, by itself or hidden by a file, and remembers key.
func (l *listing) seen(key string, isPrefix bool) bool {
	for len(l.files) > 0 && !strings.HasPrefix(key, l.files[len(l.files)-1]) {
		l.files = l.files[:len(l.files)-1]
	}
	if !isPrefix {
		l.files = append(l.files, key)
		return false
	}
	if key <= l.dir {
		return true // some services repeat prefixes on every page
	}
	l.dir = key
	for _, file := range l.files {
		if file+"/" == key {
			return true
		}
	}
	return false
}

// dropOrphans deletes what killed processes left. That it cannot be deleted does not concern who lists.
func (l *listing) dropOrphans(ctx context.Context, bucket string) {
	for _, name := range l.orphans {
		_ = l.tree.store.Delete(ctx, Key{Bucket: bucket, Name: name}, "")
	}
	l.orphans = nil
}
