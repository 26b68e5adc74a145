package dropbox

import (
	"context"
	"iter"
	"time"

	"ferry/remote"
)

// Watch implements remote.Watcher. Dropbox tells of a change within a second or so; interval means
// nothing.
func (r *Remote) Watch(ctx context.Context, _ time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		stopped := false
		err := r.watch(ctx, func(c remote.Change) bool {
			stopped = !yield(c, nil)
			return !stopped
		})
		if !stopped {
			yield(remote.Change{}, fail("watch", ".", err))
		}
	}
}

// watch tells changes until tell returns false, or there is an error.
func (r *Remote) watch(ctx context.Context, tell func(remote.Change) bool) error {
	for {
		var at cursorArg
		if err := r.service.rpc(ctx, "files/list_folder/get_latest_cursor", listArg{Path: r.root, Recursive: true}, &at); err != nil {
			return err
		}
		if at.Cursor == "" {
			return errMalformed
		}
		if !tell(remote.Everything()) {
			return nil
		}
		err := r.follow(ctx, at.Cursor, tell)
		if !has(err, "reset") {
			return err
		}
	}
}

// follow tells what changes behind cursor.
func (r *Remote) follow(ctx context.Context, cursor string, tell func(remote.Change) bool) error {
	for {
		changed, rest, err := r.service.longpoll(ctx, cursor)
		if err != nil {
			return err
		}
		for changed {
			var page listPage
			if err := r.service.rpc(ctx, "files/list_folder/continue", cursorArg{cursor}, &page); err != nil {
				return err
			}
			for i := range page.Entries {
				if c, ok := r.change(&page.Entries[i]); ok && !tell(c) {
					return nil
				}
			}
			cursor, changed = page.Cursor, page.More
		}
		if rest > 0 {
			if err := remote.Sleep(ctx, min(rest, mostAfter)); err != nil {
				return err
			}
		}
	}
}

// change is what an entry of a cursor tells. A folder that was moved comes with all that is in it,
// one that was removed comes alone.
func (r *Remote) change(m *metadata) (remote.Change, bool) {
	name, ok := r.nameOf(m.PathDisplay)
	if !ok {
		return remote.Change{}, false
	}
	c := remote.Change{Name: name, Dir: m.Tag == tagFolder, Version: m.Rev}
	if m.Tag == tagDeleted {
		c.Below, c.Removed = true, true
		r.parents.forget(name)
	}
	return c, true
}
