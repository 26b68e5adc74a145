package vfs

import (
	"context"
	"io/fs"

	"ferry/breaker"
	"ferry/ftp"
	"ferry/remote"
)

// AtEnd as an offset of Create means after the last byte.
const AtEnd = ftp.AtEnd

// The difference must be 0: offsets are passed on to the remote.
const _ = -uint(AtEnd - remote.AtEnd)

// Create starts an upload at byte off: 0 replaces the file, AtEnd appends to it, else the upload
// continues after the first off bytes of the file or of the owner's unfinished upload. The old
// content survives until Commit; when Commit returns nil, all sessions see the file, and the remote
// has it, or will have it as WriteAck promises. Abort keeps the written data for the owner to
// continue, with a cache or on a remote that can stage. Anything that can be refused is refused
// here, before a byte is accepted. ctx governs the upload until Commit is called. The upload is an
// io.ReaderFrom if the remote can receive without a copy.
func (v *View) Create(ctx context.Context, name string, off int64) (ftp.Upload, error) {
	return v.create(ctx, name, off, nil)
}

// CreateNew is Create of a file that there must not be: if there is one, the error is ErrExist, and
// so is that of Commit if there is one by then. With alone an upload of that name that is in
// progress counts as a file, if it does not continue one.
func (v *View) CreateNew(ctx context.Context, name string, off int64, alone bool) (ftp.Upload, error) {
	return v.create(ctx, name, off, &claim{alone: alone})
}

// A claim is that of an upload to a name that no file has.
type claim struct {
	alone bool   // no other upload may have it either
	end   func() // set by take; ends it
}

// take makes c hold, or returns ErrExist.
func (c *claim) take(ctx context.Context, v *View, name string) error {
	end, ok := v.fs.interrupted.begin(v.key(name), v.owner, c.alone)
	if !ok {
		return &fs.PathError{Op: "create", Path: name, Err: remote.ErrExist}
	}
	_, node := v.elsewhere(ctx, name)
	file, exists, err := found(v.fs.shown.Stat(ctx, name))
	switch {
	case err == nil && !exists && node == "":
		c.end = end
		return nil
	case err == nil && file.Dir:
		err = &fs.PathError{Op: "create", Path: name, Err: remote.ErrIsDir}
	case err == nil:
		err = &fs.PathError{Op: "create", Path: name, Err: remote.ErrExist}
	}
	end()
	return err
}

// create is Create, or with a claim CreateNew.
func (v *View) create(ctx context.Context, name string, off int64, c *claim) (u ftp.Upload, err error) {
	ctx, w := v.fs.guard(ctx, breaker.ForLongQuery())
	defer w.Settle(&err)
	name = v.actual(ctx, name)
	if err := v.allowCreate(ctx, "create", name, false); err != nil {
		return nil, err
	}
	if off < 0 && off != AtEnd {
		return nil, refuse("create", name, remote.ErrInvalid, "An offset below 0 makes no sense.")
	}
	if c != nil {
		if err := c.take(ctx, v, name); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				c.end()
			}
		}()
	}
	if v.fs.stream != nil {
		return v.createStreamed(ctx, name, off, c)
	}
	o := remote.StageOptions{Owner: v.owner}
	if off != 0 {
		if o, err = v.continuation(ctx, name, off); err != nil {
			return nil, err
		}
	}
	return v.startStaged(ctx, name, o, c)
}

// createStreamed starts an upload to a remote that cannot stage.
func (v *View) createStreamed(ctx context.Context, name string, off int64, c *claim) (ftp.Upload, error) {
	_, node := v.elsewhere(ctx, name)
	file, exists, err := found(v.fs.top.Stat(ctx, name))
	switch {
	case err != nil:
		return nil, err
	case off != 0 && !exists && node != "":
		return nil, waitsElsewhere("create", name, node)
	case file.Dir:
		return nil, &fs.PathError{Op: "create", Path: name, Err: remote.ErrIsDir}
	case file.ReadOnly:
		return nil, &fs.PathError{Op: "create", Path: name, Err: remote.ErrPermission}
	case off > 0, off == AtEnd && exists && file.Size != 0:
		return nil, refuse("create", name, remote.ErrUnsupported, hintContinue)
	case !exists && !v.fs.caps.ImplicitDirs:
		if err := v.checkParent(ctx, name); err != nil {
			return nil, err
		}
	}
	s, err := v.fs.stream(ctx, name, c != nil)
	if err != nil {
		return nil, err
	}
	return &staged{view: v, name: name, stage: s, ended: v.begin(name, c)}, nil
}

// checkParent checks that the parent of name is a directory.
func (v *View) checkParent(ctx context.Context, name string) error {
	dir, _ := remote.Split(name)
	parent, err := v.fs.shown.Stat(ctx, dir)
	if err != nil {
		return err
	}
	if !parent.Dir {
		return &fs.PathError{Op: "create", Path: name, Err: remote.ErrNotDir}
	}
	return nil
}
