package vfs

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"ferry/breaker"
	"ferry/ftp"
	"ferry/remote"
)

// A staged is an upload to a layer that can stage.
type staged struct {
	view  *View
	name  string
	stage remote.Stage
	base  remote.Base
	taken atomic.Bool  // at least one byte was written
	done  atomic.Bool  // it was published
	ended func()       // called at the end
	file  remote.Entry // after Commit
}

// A stagedFrom is a staged whose stage is an io.ReaderFrom.
type stagedFrom struct {
	staged
	from io.ReaderFrom
}

// startStaged starts a stage with the options o.
func (v *View) startStaged(ctx context.Context, name string, o remote.StageOptions, c *claim) (ftp.Upload, error) {
	ended := func() {}
	if o.Base != remote.BaseFile {
		ended = v.begin(name, c)
	}
	o.New = c != nil
	s, err := v.fs.top.Stage(ctx, name, o)
	if err != nil {
		ended()
		return nil, err
	}
	if o.From != "" {
		v.fs.interrupted.taken(v.uploads(name), o.From, v.owner)
	}
	if from, ok := s.(io.ReaderFrom); ok {
		return &stagedFrom{staged: staged{view: v, name: name, stage: s, base: o.Base, ended: ended}, from: from}, nil
	}
	return &staged{view: v, name: name, stage: s, base: o.Base, ended: ended}, nil
}

// begin returns what ends the upload of a whole file, which begins; the claim is on its name.
func (v *View) begin(name string, c *claim) (end func()) {
	if c != nil {
		return c.end
	}
	end, _ = v.fs.interrupted.begin(v.key(name), v.owner, false)
	return end
}

func (u *staged) Write(p []byte) (int, error) {
	n, err := u.stage.Write(p)
	u.took(int64(n))
	return n, err
}

// ReadFrom passes r on unwrapped, so that the system can recognise a connection.
func (u *stagedFrom) ReadFrom(r io.Reader) (int64, error) {
	n, err := u.from.ReadFrom(r)
	u.took(n)
	return n, err
}

func (u *staged) took(n int64) {
	if n > 0 && !u.taken.Load() {
		u.taken.Store(true)
	}
}

// Commit publishes the file. An upload that continues a file is refused if the file has changed
// since: another acknowledged upload would be lost.
func (u *staged) Commit(ctx context.Context) error {
	file, err := u.stage.Commit(ctx, time.Time{})
	switch {
	case errors.Is(err, remote.ErrChanged):
		_ = u.stage.Abort() // there is nothing to continue
		return refuse("commit", u.name, err, hintChanged)
	case errors.Is(err, remote.ErrExist):
		_ = u.stage.Abort()
		return refuse("commit", u.name, err, hintTaken)
	}
	if err != nil {
		return err
	}
	u.view.fs.interrupted.stored(u.view.uploads(u.name), u.view.owner)
	u.view.fs.told.clear(u.view.owner, u.name)
	u.file = file
	u.done.Store(true)
	u.ended()
	return nil
}

// Became implements ftp.Known.
func (u *staged) Became() (size int64, digest string) { return u.file.Size, u.file.Digest.Hex() }

// Abort keeps the written data for the owner to continue. An upload that received no byte leaves
// nothing, but one that was to continue a part keeps the part. Errors are not reported: the upload
// has failed anyway, and if it cannot be kept, it must be sent again from the beginning.
func (u *staged) Abort() {
	if u.done.Load() {
		return
	}
	defer u.ended()
	if u.taken.Load() || u.base == remote.BasePart {
		_ = u.stage.Keep()
		u.view.fs.told.clear(u.view.owner, u.name)
		if k := u.view.uploads(u.name); u.base == remote.BasePart {
			u.view.fs.interrupted.noteContinued(k, u.view.owner)
		} else {
			u.view.fs.interrupted.note(k, u.view.owner, u.base == remote.BaseFile)
		}
		return
	}
	_ = u.stage.Abort()
}

var _ ftp.Dropper = (*staged)(nil)

// Drop implements ftp.Dropper. The owner's unfinished upload of the name goes, too: it may be the
// beginning of this one.
func (u *staged) Drop(ctx context.Context) {
	if u.done.Swap(true) {
		return
	}
	_ = u.stage.Abort() // as by Abort
	u.ended()
	v := u.view
	v.fs.interrupted.clear(v.uploads(u.name), v.owner)
	var err error
	ctx, w := v.fs.guard(ctx, breaker.ForChange())
	defer w.End(&err)
	if err = v.fs.top.DropPart(ctx, u.name, v.owner); errors.Is(err, remote.ErrNotExist) {
		err = nil
	}
}
