package vfs

import (
	"context"
	"errors"
	"strings"

	"ferry/remote"
)

// FoldsCase reports whether a name can be found under one that differs in case.
func (v *View) FoldsCase() bool { return v.fs.opt.FoldCase || v.fs.caps.CaseInsensitive }

// key is what two names have in common that are of one file.
func (v *View) key(name string) string {
	if v.FoldsCase() {
		return strings.ToLower(name)
	}
	return name
}

// actual returns the existing name for name as the client typed it. Without FoldCase that is name.
// With it, a name that does not exist becomes the only one that differs from it in case alone; if
// there is none or more than one, it stays name. Errors are ignored, as the operation itself will
// meet them; if the remote does not answer, name stays as it is.
func (v *View) actual(ctx context.Context, name string) string {
	if !v.fs.opt.FoldCase || v.fs.caps.CaseInsensitive || name == "." {
		return name
	}
	ctx, cancel := v.fs.breaker.Soon(ctx)
	defer cancel()
	if _, err := v.fs.shown.Stat(ctx, name); !errors.Is(err, remote.ErrNotExist) && !errors.Is(err, remote.ErrNotDir) {
		return name
	}
	dir, base := remote.Split(name)
	dir = v.actual(ctx, dir)
	if other := v.folded(ctx, dir, base); other != "" {
		return remote.Join(dir, other)
	}
	return remote.Join(dir, base)
}

// actualTarget is actual for the target of a rename from from to to: a rename that only changes the
// case gets the requested spelling.
func (v *View) actualTarget(ctx context.Context, from, to string) string {
	found := v.actual(ctx, to)
	if found != from {
		return found
	}
	dir, _ := remote.Split(found)
	_, base := remote.Split(to)
	return remote.Join(dir, base)
}

// folded returns the only name in dir that equals base except for the case, or "" if there is none
// or more than one. If base itself exists, it is returned: it may be a pending upload.
func (v *View) folded(ctx context.Context, dir, base string) string {
	var only string
	several := false
	for e, err := range v.entries(ctx, dir) {
		switch {
		case err != nil:
			return ""
		case e.Name == base:
			return base
		case strings.EqualFold(e.Name, base):
			several = only != ""
			only = e.Name
		}
	}
	if several {
		return ""
	}
	return only
}
