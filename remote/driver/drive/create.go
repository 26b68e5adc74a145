package drive

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
)

// A target is where something is to be made.
type target struct {
	name   string
	folder string // id of the folder
	base   string
	old    *file   // what is there now; nil = nothing
	others []*file // of the same name, that do not count
}

// target looks at what is called name, which is not the root. Nothing can be made among what others
// share.
func (r *Remote) target(ctx context.Context, name string) (target, error) {
	dir, base := remote.Split(name)
	folder, err := r.dir(ctx, dir)
	if err != nil {
		return target{}, err
	}
	t := target{name: name, folder: folder, base: base}
	it, err := r.find(ctx, folder, base)
	switch {
	case errors.Is(err, remote.ErrNotExist) && folder == sharedRoot:
		return t, remote.ErrPermission
	case errors.Is(err, remote.ErrNotExist):
		return t, nil
	case err != nil:
		return t, err
	}
	t.old, t.others = it.file, it.others
	return t, nil
}

// create makes what sends describes, by a call at path with the parameters of query. It
// has an id from the beginning, so that
// the call can be made again when its answer was lost.
func (r *Remote) create(ctx context.Context, path string, query url.Values, sends change) (*file, error) {
	var err error
	if sends.ID, err = r.ids.take(ctx, r.service); err != nil {
		return nil, err
	}
	return r.createOnce(ctx, sends.ID, func(ctx context.Context, made *file) error {
		return r.service.Do(ctx, google.Call{Method: http.MethodPost, Path: path, Query: query, Sends: sends}, made)
	})
}

// createOnce makes a file of that id by call.
func (r *Remote) createOnce(ctx context.Context, id string, call func(ctx context.Context, made *file) error) (*file, error) {
	made := new(file)
	err := settled(ctx, func(ctx context.Context) error { return call(ctx, made) }, func(ctx context.Context) bool {
		if id == "" {
			return false
		}
		*made = file{}
		if err := call(ctx, made); err == nil {
			return true
		} else if !google.HasCode(err, http.StatusConflict) {
			return false
		}
		f, err := r.service.get(ctx, id, fileFields)
		if err == nil {
			*made = *f
		}
		return err == nil
	})
	if err == nil && len(made.Parents) > 0 {
		r.recent.note(made.Parents[0], made.Name, made.ID)
	}
	return made, err
}

// verifyFolder looks once more whether the folder that was made is what counts. One that is not
// goes again.
func (r *Remote) verifyFolder(ctx context.Context, t target, made *file) error {
	finishing, release := remote.Committed(ctx) // what follows belongs to it
	defer release()
	if made.Trashed { // with the folder above
		r.discardNew(finishing, made)
		return &google.AnswerError{Code: http.StatusNotFound}
	}
	it, err := r.find(finishing, t.folder, t.base)
	if err != nil || it.ID == made.ID { // it is made; which counts is found out by whoever looks
		return nil
	}
	r.discardNew(finishing, made)
	return remote.ErrExist
}

// verifyFile looks once more whether the file that was made is what counts, and removes those that
// it replaces.
func (r *Remote) verifyFile(ctx context.Context, t target, made *file) error {
	finishing, release := remote.Committed(ctx) // what follows belongs to it
	defer release()
	if made.Trashed { // with the folder above
		r.discardNew(finishing, made)
		return &google.AnswerError{Code: http.StatusNotFound}
	}
	it, err := r.find(finishing, t.folder, t.base)
	switch {
	case err != nil: // it is stored; which counts is found out by whoever looks
		return nil
	case it.ID != made.ID && it.isFolder():
		r.discardNew(finishing, made)
		return remote.ErrIsDir
	case it.ID != made.ID: // one that was stored after it
		return nil
	}
	r.discardOld(finishing, it.others)
	return nil
}
