package writeback

import (
	"context"

	"ferry/breaker"
	"ferry/remote"
)

// Stat implements remote.Remote.
func (v *Tree) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if err := v.check(ctx, "stat", name); err != nil {
		return remote.Entry{}, err
	}
	e, err := v.stat(ctx, name)
	return e, pathError("stat", name, err)
}

func (v *Tree) stat(ctx context.Context, name string) (remote.Entry, error) {
	v.mu.Lock()
	st, c := v.pending.look(name)
	var e remote.Entry
	if c != nil || st == isDir {
		e = v.describe(name, st, c)
	}
	v.mu.Unlock()
	switch st {
	case isFile, isMoved:
		return e, nil
	case isDeleted:
		return remote.Entry{}, remote.ErrNotExist
	case underFile:
		return remote.Entry{}, remote.ErrNotDir
	case isDir:
		if c != nil {
			return e, nil
		}
		there, err := v.names.StatSoon(ctx, name)
		if err == nil && there.Dir || ctx.Err() != nil || name == "." && breaker.IsAnswer(err) {
			return there, err
		}
		v.logProbeFailure(ctx, name, err)
		return e, nil // it will exist when the pending changes in it are applied
	}
	return v.names.Stat(ctx, name)
}

// Hash implements remote.Hasher. The digest of a pending file is unknown.
func (v *Tree) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	if err := v.check(ctx, "hash", name); err != nil {
		return nil, err
	}
	switch st, c := v.look(name); {
	case st == isFile || st == isMoved:
		return nil, pathError("hash", name, remote.ErrUnsupported)
	case st == isDeleted || st == underFile:
		return nil, pathError("hash", name, remote.ErrNotExist)
	case st == isDir && c != nil:
		return nil, pathError("hash", name, remote.ErrIsDir)
	}
	return remote.Hash(ctx, v.remote, name, algorithm)
}

// Usage implements remote.Usager: pending files count as stored.
func (v *Tree) Usage(ctx context.Context) (remote.Usage, error) {
	u, err := remote.GetUsage(ctx, v.remote)
	if err != nil {
		return u, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if u.Free >= 0 {
		u.Free = max(u.Free-v.pending.bytes, 0)
	}
	return u, nil
}
