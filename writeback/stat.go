package writeback

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"ferry/breaker"
	"ferry/remote"
)

// check is the first step of every operation.
func (v *Tree) check(ctx context.Context, op, name string) error {
	switch {
	case !remote.ValidPath(name):
		return &fs.PathError{Op: op, Path: name, Err: remote.ErrInvalid}
	case ctx.Err() != nil:
		return &fs.PathError{Op: op, Path: name, Err: context.Cause(ctx)}
	}
	return nil
}

// pathError wraps err in a *fs.PathError, unless it is nil or one already.
func pathError(op, name string, err error) error {
	var wrapped *fs.PathError
	if err == nil || errors.As(err, &wrapped) {
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// look returns the state of name according to the pending changes.
func (v *Tree) look(name string) (state, *change) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.pending.look(name)
}

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

// describe returns the entry of a pending file or directory. If c is nil, it is a directory with
// pending changes in it.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) describe(name string, st state, c *change) remote.Entry {
	_, base := remote.Split(name)
	e := remote.Entry{Name: base, Dir: st == isDir}
	if v.caps.Modes {
		e.Mode = 0o644
		if e.Dir {
			e.Mode = 0o755
		}
	}
	if c == nil {
		return e
	}
	e.ModTime = v.rounded(c.rec.ModTime)
	if !e.Dir {
		e.Size = c.rec.Size
		if c.mode != 0 {
			e.Mode = c.mode
		}
	}
	return e
}

// rounded returns t as the remote will keep it.
func (v *Tree) rounded(t time.Time) time.Time {
	if v.caps.ModTime > 0 {
		return t.Truncate(v.caps.ModTime)
	}
	return t
}
