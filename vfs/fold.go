package vfs

import (
	"context"
	"errors"
	"strings"

	"ferry/remote"
)

// actual returns the name of what is there for name as the client typed it. Without FoldCase that
// is name. With it, a name that does not exist is the one that differs from it in case only, if
// there is just one; else it is name as well. An error is left to the operation that name is for,
// which meets it again; a remote that does not answer leaves name as it is.
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

// actualTarget is actual for what is about to be renamed from from to to: a name that only changes
// its case gets the spelling that was asked for.
func (v *View) actualTarget(ctx context.Context, from, to string) string {
	found := v.actual(ctx, to)
	if found != from {
		return found
	}
	dir, _ := remote.Split(found)
	_, base := remote.Split(to)
	return remote.Join(dir, base)
}

// folded returns the one name in dir that is base but for the case, or "" where there is none or
// more than one. If base itself is there, it is what is returned: it may be an upload that the
// remote does not know of yet.
func (v *View) folded(ctx context.Context, dir, base string) string {
	var only string
	several := false
	for info, err := range v.List(ctx, dir) {
		switch {
		case err != nil:
			return ""
		case info.Name() == base:
			return base
		case strings.EqualFold(info.Name(), base):
			several = only != ""
			only = info.Name()
		}
	}
	if several {
		return ""
	}
	return only
}
