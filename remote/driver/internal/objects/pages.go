package objects

import (
	"context"
	"iter"
	"slices"
	"strings"
)

// some lists what is in the directory dir, one level deep, up to limit entries or a few more:
// elements of names as the keys spell them, those of directories with a slash at the end, and ""
// for the marker. whole says that there is no more.
func (t *Tree) some(ctx context.Context, dir Key, limit int) (names []string, whole bool, err error) {
	inside := t.inside(dir)
	if chunk := t.config.ListChunk; chunk > 0 {
		limit = min(limit, chunk)
	}
	for o, err := range t.children(ctx, inside, limit) {
		if err != nil {
			return nil, false, err
		}
		if name, ok := strings.CutPrefix(o.Name, inside.Name); ok && !(inside.Name == t.prefix && Ours(name)) {
			names = append(names, name)
		}
		if len(names) == limit {
			return names, false, nil
		}
	}
	return names, true, nil
}

// children lists what begins with k, or the buckets, as a Lister does.
func (t *Tree) children(ctx context.Context, k Key, limit int) iter.Seq2[Object, error] {
	if l, ok := t.bare.(Lister); ok && k.Bucket != "" {
		return l.Children(ctx, k, limit)
	}
	return func(yield func(Object, error) bool) {
		for p, err := range t.pages(ctx, k, limit) {
			if err != nil {
				yield(Object{}, err)
				return
			}
			for o := range p.inOrder() {
				if !yield(o, nil) {
					return
				}
			}
		}
	}
}

// pages fetches the listing of what begins with k, or of the buckets, page by page.
func (t *Tree) pages(ctx context.Context, k Key, limit int) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		token, bound := "", t.config.Network.Listing()
		for {
			var p Page
			var err error
			if k.Bucket == "" {
				p, err = t.buckets.PageBuckets(ctx, token)
			} else {
				p, err = t.bare.(Pager).Page(ctx, k, token, limit)
			}
			if err == nil {
				err = bound.Page(len(p.Objects) + len(p.Prefixes))
			}
			if !yield(p, err) || err != nil || p.Next == "" {
				return
			}
			token = p.Next
		}
	}
}

// inOrder merges the two parts of a page by name, so that a file comes before the directory of the
// same name. A service that has them in no order is not told of, but nothing gets lost.
func (p Page) inOrder() iter.Seq[Object] {
	byName := func(a, b Object) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(p.Objects, byName) {
		slices.SortStableFunc(p.Objects, byName)
	}
	if !slices.IsSorted(p.Prefixes) {
		slices.Sort(p.Prefixes)
	}
	return func(yield func(Object) bool) {
		objects, prefixes := p.Objects, p.Prefixes
		for len(objects)+len(prefixes) > 0 {
			var o Object
			if len(prefixes) == 0 || len(objects) > 0 && objects[0].Name < prefixes[0] {
				o, objects = objects[0], objects[1:]
			} else {
				o, prefixes = Object{Name: prefixes[0]}, prefixes[1:]
			}
			if !yield(o) {
				return
			}
		}
	}
}
