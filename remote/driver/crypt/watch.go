package crypt

import (
	"context"
	"iter"
	"time"

	"ferry/remote"
)

// Watch implements remote.Watcher. Changes of what is not encrypted are not told.
func (r *Remote) Watch(ctx context.Context, interval time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		w, ok := remote.AsWatcher(r.below)
		if !ok {
			yield(remote.Change{}, remote.Renamed("watch", ".", remote.ErrUnsupported))
			return
		}
		for c, err := range w.Watch(ctx, interval) {
			if err != nil {
				yield(remote.Change{}, remote.Renamed("watch", ".", err))
				return
			}
			r.dirs.forget()
			for _, c := range r.changes(c) {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

// changes are what a change below is here. Where it is not known whether it is one of a file or of
// a directory, and those have different names, it may be two.
func (r *Remote) changes(c remote.Change) []remote.Change {
	var all []remote.Change
	kinds := []bool{c.Dir, !c.Dir}
	if c.Dir || c.Name == "." {
		kinds = kinds[:1]
	}
	for _, isDir := range kinds {
		plain, ok := r.plainPath(c.Name, isDir)
		if !ok || len(all) > 0 && all[0].Name == plain {
			continue
		}
		one := c
		one.Name = plain
		all = append(all, one)
	}
	return all
}
