package onedrive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"ferry/remote"
)

// singleLimit is the longest content that goes in one request where no option says otherwise.
const singleLimit = 4 << 20

// Put implements remote.Remote. The folder is found by its path, and the file made in it by its id:
// by path the service would make folders that are missing.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	err := r.checkNew(ctx, name)
	if err == nil && name == "." {
		err = remote.ErrIsDir
	}
	if err != nil {
		return remote.Entry{}, remote.Fail("put", name, err)
	}
	u := newUpload(r, name, o)
	defer u.end()
	e, err := r.put(ctx, u, remote.ContextReader(ctx, body))
	return e, remote.Fail("put", name, err)
}

func (r *Remote) put(ctx context.Context, u *upload, body io.Reader) (remote.Entry, error) {
	if err := u.begin(ctx, body); err != nil {
		return remote.Entry{}, err
	}
	in, err := r.dir(ctx, u.name)
	if err != nil {
		return remote.Entry{}, err
	}
	if u.size < 0 { // the service wants to know it first
		if err := u.collect(ctx); err != nil {
			return remote.Entry{}, err
		}
	}
	_, base := remote.Split(u.name)
	at := in.target.in(r.opt.Encoding.Encode(base))
	stored, err := r.store(ctx, u, at)
	if err != nil {
		return remote.Entry{}, r.explainPut(ctx, u.name, err)
	}
	finishing, release := remote.Committed(ctx) // what follows when the file is visible belongs to it
	defer release()
	if err := r.verify(finishing, u, stored); err != nil {
		return remote.Entry{}, err
	}
	stored, err = r.finish(finishing, u, ref{in.target.drive, stored.ID}, stored)
	if err != nil {
		return remote.Entry{}, err
	}
	r.known.saw(stored.ID, u.name)
	return stored.entry(base), nil
}

// store sends the content in the way that its length and its time ask for.
func (r *Remote) store(ctx context.Context, u *upload, at addr) (*item, error) {
	if u.whole && (u.size == 0 || u.size <= singleLimit && u.modTime.IsZero() || u.size <= r.opt.UploadCutoff) {
		i := new(item)
		err := r.api.do(ctx, call{
			method: http.MethodPut,
			to:     at.of("content"),
			query:  "%40microsoft.graph.conflictBehavior=replace",
			header: map[string]string{"Content-Type": "application/octet-stream"},
			body:   u.head,
		}, i)
		u.sum.Write(u.head)
		u.untimed = true
		return i, err
	}
	for attempt := 0; ; attempt++ {
		i, err := r.storeInFragments(ctx, u, at)
		if !errors.Is(err, errSessionGone) || attempt > 0 || !u.rewind() {
			return i, err
		}
	}
}

// explainPut finds out why a file could not be stored: the service has several answers to a
// directory of its name.
func (r *Remote) explainPut(ctx context.Context, name string, err error) error {
	code := codeOf(err)
	if ctx.Err() != nil || code < http.StatusBadRequest || code >= http.StatusInternalServerError ||
		errors.Is(err, remote.ErrNoSpace) || code == http.StatusUnauthorized || code == http.StatusTooManyRequests {
		return err
	}
	if f, lookErr := r.look(ctx, name); lookErr == nil && f.item.isDir() {
		return remote.ErrIsDir
	}
	if errors.Is(err, remote.ErrExist) { // nothing may be in the way of a file that replaces one
		return fmt.Errorf("another change of the file is under way: %v", err)
	}
	return err
}

var errStoredOther = errors.New("the service keeps another content than was sent")

// verify compares what was stored with what was sent. SharePoint changes documents when they are
// stored: there a difference is told to the log alone.
func (r *Remote) verify(ctx context.Context, u *upload, stored *item) error {
	same := stored.Size == nil || *stored.Size == u.size
	if sum := stored.quickXor(); sum != nil && !r.opt.NoHash {
		same = same && bytes.Equal(sum, u.sum.Sum(nil))
	}
	switch {
	case same:
		return nil
	case r.opt.DriveType == DocumentLibrary:
		remote.Warn(ctx, "the library has changed a file as it was stored", "name", u.name)
		return nil
	}
	return errStoredOther
}

// finish sets the modification time where it did not go with the content, and removes old versions
// where that is wanted.
func (r *Remote) finish(ctx context.Context, u *upload, at ref, stored *item) (*item, error) {
	if u.untimed && !u.modTime.IsZero() {
		timed, err := r.setTimes(ctx, at, u.modTime)
		if err != nil {
			return nil, fmt.Errorf("the file is stored, but not its modification time: %w", err)
		}
		stored = timed
	}
	if r.opt.NoVersions {
		r.dropVersions(ctx, u.name, at)
	}
	return stored, nil
}
