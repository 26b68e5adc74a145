package writeback

import (
	"context"
	"errors"
	"io/fs"

	"ferry/cache"
	"ferry/remote"
)

// Checks before a change is accepted: whether name can be a file here, and what the remote has
// under it. A remote that does not answer delays nothing: the change is then accepted unchecked and
// is pending.

// checkNew refuses a name that the remote cannot hold.
func (v *Tree) checkNew(ctx context.Context, op, name string) error {
	if err := v.check(ctx, op, name); err != nil {
		return err
	}
	if err := v.CheckName(name); err != nil {
		return err
	}
	if v.caps.MaxName > 0 {
		for elem := range elements(name) {
			if len(elem) > v.caps.MaxName {
				return &fs.PathError{Op: op, Path: name, Err: remote.ErrBadName}
			}
		}
	}
	return nil
}

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

// CheckName implements remote.NameChecker.
func (v *Tree) CheckName(name string) error { return remote.CheckName(v.remote, name) }

// pathError wraps err in a *fs.PathError, unless it is nil or one already.
func pathError(op, name string, err error) error {
	var wrapped *fs.PathError
	if err == nil || errors.As(err, &wrapped) {
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// checkTarget checks whether there may be a file called name, and returns what it replaces. A
// missing directory, a directory of that name and a file that may not be changed are errors.
func (v *Tree) checkTarget(ctx context.Context, name string) (baseState, error) {
	st, c := v.look(name)
	var known baseState
	switch st {
	case isDir:
		return known, remote.ErrIsDir
	case underFile:
		return known, remote.ErrNotDir
	case isDeleted:
		if c != nil && c.rec.Kind == cache.RemovedDir {
			if err := v.removedDirFirst(ctx, c); err != nil {
				return known, err
			}
			return v.checkTarget(ctx, name)
		}
		return known, v.checkParent(ctx, name)
	case isFile, isMoved: // what it replaces is a pending change
		return known, v.checkParent(ctx, name)
	}
	known, err := v.lookupBase(ctx, name, v.worthProbing(name))
	switch {
	case err != nil:
		return known, err
	case known.base == cache.BasePresent && known.entry.Dir:
		return known, remote.ErrIsDir
	case known.base == cache.BasePresent && known.entry.ReadOnly:
		return known, remote.ErrPermission
	case known.base == cache.BasePresent:
		return known, nil
	case v.caps.ImplicitDirs:
		return known, v.checkImplicit(ctx, name)
	}
	return known, v.checkParent(ctx, name)
}

// absent returns ErrExist if r has name. The caller holds its lock.
func absent(ctx context.Context, r remote.Remote, name string) error {
	switch _, err := r.Stat(ctx, name); {
	case err == nil:
		return pathError("create", name, remote.ErrExist)
	case !errors.Is(err, remote.ErrNotExist):
		return err
	}
	return nil
}

// absent returns ErrExist if there is something called name. The caller holds its lock.
func (v *Tree) absent(ctx context.Context, name string) error {
	switch st, _ := v.look(name); st {
	case isFile, isMoved, isDir:
		return remote.ErrExist
	case isDeleted, underFile:
		return nil
	}
	_, err := v.names.StatSoon(ctx, name)
	if err == nil {
		return remote.ErrExist
	}
	v.logProbeFailure(ctx, name, err)
	return nil
}

// checkImplicit checks whether there can be a file called name on a remote with implicit
// directories. It does not query the remote if pending changes concern names above name.
func (v *Tree) checkImplicit(ctx context.Context, name string) error {
	if v.changesAbove(name) {
		return nil
	}
	err := v.breaker.Ask(ctx, func(ctx context.Context) error {
		err := remote.CheckTarget(ctx, v.remote, name)
		if errors.Is(err, remote.ErrNotExist) {
			if root := v.checkRoot(ctx, nil); root != nil { // a missing root proves nothing
				v.logProbeFailure(ctx, name, root)
				return remote.ErrUnsupported
			}
		}
		return err
	})
	switch {
	case errors.Is(err, remote.ErrIsDir), errors.Is(err, remote.ErrNotDir), errors.Is(err, remote.ErrNotExist),
		errors.Is(err, remote.ErrPermission):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && !errors.Is(err, remote.ErrUnsupported):
		v.logProbeFailure(ctx, name, err)
	}
	return nil
}

// changesAbove reports whether a pending change creates, replaces or removes a name above name.
func (v *Tree) changesAbove(name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for dir, _ := remote.Split(name); dir != "."; dir, _ = remote.Split(dir) {
		if v.pending.newest(dir) != nil {
			return true
		}
	}
	return false
}

// checkParent checks that the parent of name exists, if the remote requires one. With pending
// changes in it, it is known to exist.
func (v *Tree) checkParent(ctx context.Context, name string) error {
	dir, _ := remote.Split(name)
	if v.caps.ImplicitDirs || dir == "." {
		return nil
	}
	switch st, _ := v.look(dir); st {
	case isDir:
		return nil
	case isDeleted:
		return remote.ErrNotExist
	case isFile, isMoved, underFile:
		return remote.ErrNotDir
	}
	known, err := v.lookupBase(ctx, dir, true)
	switch {
	case err != nil:
		return err
	case known.base == cache.BaseAbsent:
		return remote.ErrNotExist
	case known.base == cache.BasePresent && !known.entry.Dir:
		return remote.ErrNotDir
	}
	return nil
}
