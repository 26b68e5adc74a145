package union

import (
	"context"
	"io"
	"slices"

	"ferry/remote"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	h, all, err := r.found(ctx, name)
	if err != nil {
		return remote.Entry{}, remote.Renamed("stat", name, err)
	}
	e := r.shown(h.up, h.entry)
	if r.o.Action.kind() == "all" && !e.Dir {
		for _, other := range all {
			e.ReadOnly = e.ReadOnly || other.entry.ReadOnly && !other.up.readOnly()
		}
	}
	return e, nil
}

// shown is what is seen of an entry of an upstream. A file of one that may not be changed can be
// hidden by another one that the search policy prefers.
func (r *Remote) shown(u *upstream, e remote.Entry) remote.Entry {
	e = u.seen(e)
	if u.readOnly() && !e.Dir {
		hidden := r.o.Search.fixedOrder() && slices.ContainsFunc(r.ups[:u.index], func(u *upstream) bool { return !u.readOnly() && !u.NoCreate })
		e.ReadOnly = e.ReadOnly || !hidden
	}
	return e
}

// Open implements remote.Remote.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	h, err := r.find(ctx, name)
	if err == nil && h.entry.Dir {
		err = remote.ErrIsDir
	}
	if err != nil {
		return nil, remote.Renamed("open", name, err)
	}
	f, err := h.up.Remote.Open(ctx, name, off, n)
	return f, remote.Renamed("open", name, err)
}

// Hash implements remote.Hasher.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	h, err := r.find(ctx, name)
	if err == nil && h.entry.Dir {
		err = remote.ErrIsDir
	}
	if err != nil {
		return nil, remote.Renamed("hash", name, err)
	}
	sum, err := remote.Hash(ctx, h.up.Remote, name, algorithm)
	return sum, remote.Renamed("hash", name, err)
}
