package vfs

import (
	"context"
	"io/fs"
	"time"

	"ferry/remote"
)

// before is the state of a name before an upload that continues something.
type before struct {
	file, part       remote.Entry // the published file, and the owner's unfinished upload
	hasFile, hasPart bool
	others           map[string]interruption // interrupted uploads of the user from other addresses, by owner
}

// continuation decides what an upload that does not begin at 0 continues, and describes the file if
// it continues that.
//
// An append goes to the file if there is one, else to the owner's unfinished upload, else it begins
// a new file. An offset refers to what the client can see: the file if there is one, else the
// unfinished upload.
//
// After an interrupted overwrite by the owner, the client sees another file, and probably sends the
// rest of its own next. Only an offset equal to the length of the part makes that certain; any
// other is refused until the client stores the file from the beginning. The same holds while the
// file is still being sent: by a hanging session, or by another device.
//
// A part that the user left at another address is not shown. It may be from the same device with a
// new address, or from another one: a client that knows its length may continue it when its writer
// has been gone for a while.
func (v *View) continuation(ctx context.Context, name string, off int64) (remote.StageOptions, error) {
	o := remote.StageOptions{Owner: v.owner, Off: off}
	_, node := v.elsewhere(ctx, name)
	b, err := v.before(ctx, name)
	if err != nil {
		return o, err
	}
	file, part := b.file, b.part
	if !b.hasFile && node != "" && !(b.hasPart && off == part.Size) {
		return o, waitsElsewhere("create", name, node)
	}
	if b.hasPart && off == part.Size && (!b.hasFile || v.continuesPart(name, b)) {
		o.Base = remote.BasePart
		return v.fromPart(o, part), nil
	}
	if (b.hasFile || off > 0) && v.fs.interrupted.busy(v.key(name), v.user) {
		return o, refuse("create", name, remote.ErrChanged, hintBusy)
	}
	if off == AtEnd && v.fs.told.differs(v.owner, name, b) {
		return o, refuse("create", name, remote.ErrChanged, hintTold)
	}
	if b.hasFile && v.overwriteWasInterrupted(name, b) {
		return o, refuse("create", name, remote.ErrInvalid, hintInterrupted(part.Size))
	}
	if other, err := v.takeOver(ctx, name, off, b); err != nil || other != "" {
		o.Base, o.From = remote.BasePart, other
		return o, err
	}
	if b.hasFile && b.otherWasInterrupted() {
		return o, refuse("create", name, remote.ErrInvalid, hintInterruptedElsewhere)
	}
	switch {
	case off == AtEnd && b.hasFile:
		o.Base, o.File = remote.BaseFile, file
	case off == AtEnd && b.hasPart:
		o.Base, o.Off = remote.BasePart, part.Size
	case off == AtEnd:
		o.Base, o.Off = remote.BaseEmpty, 0
	case b.hasFile && off <= file.Size:
		o.Base, o.File = remote.BaseFile, file
	case !b.hasFile && b.hasPart && off <= part.Size && part.Part == v.owner:
		o.Base = remote.BasePart
	case b.hasFile:
		return o, refuse("create", name, remote.ErrInvalid, hintBeyond(off, file.Size))
	case b.hasPart && off > part.Size:
		return o, refuse("create", name, remote.ErrInvalid, hintBeyond(off, part.Size))
	case b.hasPart:
		return o, refuse("create", name, remote.ErrInvalid, hintInterrupted(part.Size))
	default:
		return o, refuse("create", name, remote.ErrInvalid, hintNothing)
	}
	return v.fromPart(o, part), nil
}

// before returns the state of name.
func (v *View) before(ctx context.Context, name string) (b before, err error) {
	if b.file, b.hasFile, err = found(v.fs.top.Stat(ctx, name)); err != nil {
		return b, err
	}
	if b.file.Dir {
		return b, &fs.PathError{Op: "create", Path: name, Err: remote.ErrIsDir}
	}
	if b.part, b.hasPart, err = found(v.part(ctx, name)); err != nil {
		return b, err
	}
	if !b.hasPart {
		err = v.loadInterrupted(ctx, name)
	}
	b.others = v.fs.interrupted.others(v.uploads(name), v.owner)
	delete(b.others, v.user) // the owner's own part is in b.part
	return b, err
}

// fromPart makes o continue part if part dates from when parts belonged to users without an
// address.
func (v *View) fromPart(o remote.StageOptions, part remote.Entry) remote.StageOptions {
	if o.Base == remote.BasePart && part.Part != v.owner {
		o.From = part.Part
	}
	return o
}

// continuesPart reports whether an upload that starts at the end of the owner's part continues the
// part rather than the file.
func (v *View) continuesPart(name string, b before) bool {
	last, known := v.fs.interrupted.of(v.uploads(name), v.owner, v.fs.opt.PartMaxAge)
	return known && !last.continued || !b.part.ModTime.Before(b.file.ModTime)
}

// overwriteWasInterrupted reports whether the owner's last upload of name was that of a whole file
// and was interrupted. Any file stored since is from another client. The purpose of a part from
// before this process is unknown; it counts as an overwrite unless the file is newer.
func (v *View) overwriteWasInterrupted(name string, b before) bool {
	if last, known := v.fs.interrupted.of(v.uploads(name), v.owner, v.fs.opt.PartMaxAge); known {
		return !last.continued
	}
	return b.hasPart && !b.part.ModTime.Before(b.file.ModTime)
}

// otherWasInterrupted reports whether an overwrite of the file by the user from another address was
// interrupted.
func (b before) otherWasInterrupted() bool {
	for _, c := range b.others {
		if !c.continued && !c.superseded && !b.file.ModTime.After(c.at) {
			return true
		}
	}
	return false
}

// goneAfter is how long the writer of a part must have been gone until the user may continue it
// from another address.
const goneAfter = 5 * time.Minute

// takeOver returns the owner of a part that the user left at another address and that ends at off,
// if the client has nothing else to continue. A part whose writer may come back is refused.
func (v *View) takeOver(ctx context.Context, name string, off int64, b before) (owner string, err error) {
	if off <= 0 || b.hasPart {
		return "", nil
	}
	recent := false
	for other, c := range b.others {
		part, has, err := found(v.fs.top.Part(ctx, name, other))
		switch {
		case err != nil:
			return "", err
		case !has || part.Size != off || v.expired(part) || b.hasFile && (c.superseded || b.file.ModTime.After(part.ModTime)):
		case time.Since(c.seen) < goneAfter || !part.ModTime.IsZero() && time.Since(part.ModTime) < goneAfter:
			recent = true
		default:
			return other, nil
		}
	}
	if recent {
		return "", refuse("create", name, remote.ErrChanged, hintRecent)
	}
	return "", nil
}

// loadInterrupted looks for parts of earlier processes, once in each directory.
func (v *View) loadInterrupted(ctx context.Context, name string) error {
	f := v.fs
	dir, _ := remote.Split(name)
	if !f.hasEarlierParts() || !f.interrupted.startLoading(dir) {
		return nil
	}
	err := f.eachPart(ctx, dir, func(e remote.Entry) {
		if len(e.Part) > userLen {
			f.interrupted.addEarlier(uploadKey{e.Part[:userLen], remote.Join(dir, e.Name)}, e.Part, e.ModTime)
		}
	})
	if err != nil {
		f.interrupted.cancelLoading(dir)
	}
	return err
}

// eachPart calls do for each unfinished upload in dir.
func (f *FS) eachPart(ctx context.Context, dir string, do func(remote.Entry)) error {
	local, others := f.top.LocalParts(dir)
	for _, e := range local {
		do(e)
	}
	if !others {
		return nil
	}
	for e, err := range f.names.List(ctx, dir) {
		switch {
		case err != nil && isMissing(err):
			return nil
		case err != nil:
			return err
		case e.Part != "":
			do(e)
		}
	}
	return nil
}
