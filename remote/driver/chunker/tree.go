package chunker

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"ferry/remote"
)

// Stat implements remote.Remote. A file that is small enough to be a record is read.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	f, err := r.find(ctx, name)
	if err != nil {
		return remote.Entry{}, remote.Renamed("stat", name, err)
	}
	return f.entry, nil
}

// List implements remote.Remote. Files that are small enough to be records come last, as it is the
// whole listing that tells which of them have chunks: memory grows with their number, and that of
// the chunks.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		if r.hidden(dir) {
			yield(remote.Entry{}, remote.Renamed("list", dir, remote.ErrNotExist))
			return
		}
		groups := map[string]*group{}
		var small []remote.Entry
		for e, err := range r.entries(ctx, dir) {
			if err != nil {
				yield(remote.Entry{}, remote.Renamed("list", dir, err))
				return
			}
			c, ok := r.names.parse(e.Name)
			switch {
			case ok:
				if groups[c.base] == nil {
					groups[c.base] = &group{}
				}
				groups[c.base].add(c, e)
			case r.o.NoRecords || maybeRecord(e):
				small = append(small, e)
			case !yield(e, nil):
				return
			}
		}
		if r.o.NoRecords {
			r.listGroups(ctx, small, groups, yield)
			return
		}
		r.listSmall(ctx, dir, small, groups, yield)
	}
}

// listSmall yields what may be records: those of which there are chunks are looked at.
func (r *Remote) listSmall(ctx context.Context, dir string, small []remote.Entry, groups map[string]*group, yield func(remote.Entry, error) bool) {
	for _, e := range small {
		if groups[e.Name] != nil {
			f, err := r.look(ctx, remote.Join(dir, e.Name), e)
			switch {
			case errors.Is(err, remote.ErrNotExist):
				continue
			case err != nil && (r.o.FailHard || !remote.Permanent(err)):
				yield(remote.Entry{}, remote.Renamed("list", dir, fmt.Errorf("%s: %w", e.Name, err)))
				return
			case err != nil:
				remote.Omitted(ctx, e.Name, "its record cannot be read")
				continue
			}
			e = f.entry
			e.Digest = ""
		}
		if !yield(e, nil) {
			return
		}
	}
}

// listGroups yields what is in chunks without records, and all the rest.
func (r *Remote) listGroups(ctx context.Context, others []remote.Entry, groups map[string]*group, yield func(remote.Entry, error) bool) {
	for _, e := range others {
		delete(groups, e.Name)
		if !yield(e, nil) {
			return
		}
	}
	for base, g := range groups {
		e, _, ok := g.file(base)
		switch {
		case !ok && len(g.sizes) > 0:
			remote.Omitted(ctx, base, "chunks of it are missing")
		case ok && !yield(e, nil):
			return
		}
	}
}

// Remove implements remote.Remote. The record goes first, and with it the file.
func (r *Remote) Remove(ctx context.Context, name string) error {
	release, err := r.paths.Change(ctx, name)
	if err != nil {
		return remote.Renamed("remove", name, err)
	}
	defer release()
	f, err := r.find(ctx, name)
	if err != nil {
		return remote.Renamed("remove", name, err)
	}
	if f.rec == nil || !r.o.NoRecords {
		if err := r.below.Remove(ctx, name); err != nil {
			return remote.Renamed("remove", name, err)
		}
	}
	r.discard(ctx, f)
	return nil
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	err := r.checked(dir)
	if err == nil {
		err = r.below.Mkdir(ctx, dir)
	}
	return remote.Renamed("mkdir", dir, err)
}

// staleAge is how old a chunk without a record is that no upload will complete.
const staleAge = 24 * time.Hour

// Rmdir implements remote.Remote. Chunks without a record that are a day old do not count as
// entries.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	if r.hidden(dir) {
		return remote.Renamed("rmdir", dir, remote.ErrNotExist)
	}
	err := r.below.Rmdir(ctx, dir)
	if !errors.Is(err, remote.ErrNotEmpty) || !r.sweep(ctx, dir) {
		return remote.Renamed("rmdir", dir, err)
	}
	return remote.Renamed("rmdir", dir, r.below.Rmdir(ctx, dir))
}

// sweep removes what killed uploads have left in dir, and reports whether that was all there was.
func (r *Remote) sweep(ctx context.Context, dir string) bool {
	var stale []string
	for e, err := range r.entries(ctx, dir) {
		c, ok := r.names.parse(e.Name)
		if err != nil || !ok || e.Dir || r.isWriting(c.txn) || e.ModTime.IsZero() || time.Since(e.ModTime) < staleAge {
			return false
		}
		stale = append(stale, remote.Join(dir, e.Name))
	}
	for _, name := range stale {
		if err := r.below.Remove(ctx, name); err != nil && !errors.Is(err, remote.ErrNotExist) {
			return false
		}
	}
	return len(stale) > 0
}

func (r *Remote) isWriting(txn string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writing[txn] > 0
}
