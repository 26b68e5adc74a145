package vfs

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"ferry/ftp"
	"ferry/remote"
)

// staged is an upload to a remote that keeps it apart until it is whole.
type staged struct {
	view  *View
	name  string
	stage remote.Stage
	base  remote.Base
	taken atomic.Bool // at least a byte was written
	done  atomic.Bool // it is published
	ended func()      // tells that it is over
}

// stagedFrom is a staged upload whose stage is an io.ReaderFrom.
type stagedFrom struct {
	staged
	from io.ReaderFrom
}

// startStaged begins a stage as o says.
func (v *View) startStaged(ctx context.Context, name string, o remote.StageOptions) (ftp.Upload, error) {
	ended := func() {}
	if o.Base != remote.BaseFile {
		ended = v.fs.interrupted.begin(v.uploads(name), v.owner)
	}
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

func (u *staged) Write(p []byte) (int, error) {
	n, err := u.stage.Write(p)
	u.took(int64(n))
	return n, err
}

// ReadFrom hands r on as it is, so that the system can recognise a connection in it.
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

// Commit publishes the file. One that continues a file is refused when that has changed since: what
// another upload has been promised would be lost.
func (u *staged) Commit(ctx context.Context) error {
	_, err := u.stage.Commit(ctx, time.Time{})
	if errors.Is(err, remote.ErrChanged) {
		_ = u.stage.Abort() // there is nothing that could be continued
		return refuse("commit", u.name, err, hintChanged)
	}
	if err != nil {
		return err
	}
	u.view.fs.interrupted.stored(u.view.uploads(u.name), u.view.owner)
	u.done.Store(true)
	u.ended()
	return nil
}

// Abort keeps what the owner can continue. An upload that took no byte leaves nothing behind, but
// one that was to continue a part gives the part back. There is nobody to tell of an error: the
// upload has failed anyway, and what cannot be kept has to be sent again from the beginning.
func (u *staged) Abort() {
	if u.done.Load() {
		return
	}
	defer u.ended()
	if u.taken.Load() || u.base == remote.BasePart {
		_ = u.stage.Keep()
		if k := u.view.uploads(u.name); u.base == remote.BasePart {
			u.view.fs.interrupted.again(k, u.view.owner)
		} else {
			u.view.fs.interrupted.note(k, u.view.owner, u.base == remote.BaseFile)
		}
		return
	}
	_ = u.stage.Abort()
}
