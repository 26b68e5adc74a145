package vfs

import (
	"context"
	"iter"
	"strings"

	"ferry/dircache"
	"ferry/remote"
)

// Elsewhere knows the files that other nodes have accepted and not yet sent to the remote. Its
// methods answer at once. They are for what is shown, and for refusals: no change of the remote may
// depend on them.
type Elsewhere interface {
	// At returns the file of a name, or a directory that is needed for such files, and the node
	// where it waits; "" = there is none.
	At(name string) (e remote.Entry, node string)
	// In returns the files and directories in a directory, by name; nil if there are none. The
	// caller may change the map.
	In(dir string) map[string]remote.Entry
	// Drop forgets the file of a name until the node tells of it anew.
	Drop(name string)
}

// What is seen of the files elsewhere is asked for before the remote is: who has sent such a file
// tells that afterwards, so that it is in one of the two at least. What the remote has comes first.

// elsewhere returns what waits elsewhere under a name, and the node; "" = nothing does.
func (v *View) elsewhere(ctx context.Context, name string) (remote.Entry, string) {
	if v.fs.opt.Elsewhere == nil {
		return remote.Entry{}, ""
	}
	e, node := v.fs.opt.Elsewhere.At(name)
	if node == "" || !v.shows(ctx, name, e.Dir) {
		return remote.Entry{}, ""
	}
	return e, node
}

// elsewhereIn returns what waits elsewhere in a directory, by the key of its name.
func (v *View) elsewhereIn(ctx context.Context, dir string) map[string]remote.Entry {
	if v.fs.opt.Elsewhere == nil {
		return nil
	}
	all := v.fs.opt.Elsewhere.In(dir)
	for base, e := range all {
		if !v.shows(ctx, remote.Join(dir, base), e.Dir) {
			delete(all, base)
		} else if k := v.fs.keyOf(base); k != base {
			delete(all, base)
			all[k] = e
		}
	}
	return all
}

// shows reports whether a name would be shown if the remote had it.
func (v *View) shows(ctx context.Context, name string, dir bool) bool {
	allow := v.fs.opt.AllowCreate
	return allow == nil || allow(ctx, name, dir) == nil
}

// keyOf is what names in a directory have in common that are one for the remote.
func (f *FS) keyOf(base string) string {
	if f.caps.CaseInsensitive {
		return strings.ToLower(base)
	}
	return base
}

// with yields the entries of a listing of a directory, then what waits elsewhere and is not among
// them. A directory that is needed for that may not be there.
func (v *View) with(waiting map[string]remote.Entry, entries iter.Seq2[remote.Entry, error]) iter.Seq2[remote.Entry, error] {
	if len(waiting) == 0 {
		return entries
	}
	return func(yield func(remote.Entry, error) bool) {
		for e, err := range entries {
			if err != nil {
				if isMissing(err) {
					break
				}
				yield(e, err)
				return
			}
			if e.Part == "" {
				delete(waiting, v.fs.keyOf(e.Name))
			}
			if !yield(e, nil) {
				return
			}
		}
		for _, e := range waiting {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// dropElsewhere drops what was told of a name before the file was removed or renamed here: the
// remote has had it, so that it is not waited for any more.
func (v *View) dropElsewhere(name string, err error) {
	if err == nil && v.fs.opt.Elsewhere != nil {
		v.fs.opt.Elsewhere.Drop(name)
	}
}

// Appeared has a name asked for again that is remembered not to exist.
func (f *FS) Appeared(name string) {
	for name != "." {
		if _, known := f.names.Recall(name); known == dircache.Fresh {
			return
		}
		f.names.Invalidate(name)
		name, _ = remote.Split(name)
	}
}
