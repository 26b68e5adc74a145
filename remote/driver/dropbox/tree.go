package dropbox

import (
	"context"
	"errors"

	"ferry/remote"
)

type deleteArg struct {
	Path string `json:"path"`
	Rev  string `json:"parent_rev,omitempty"` // of the file, if it is to be removed only as that
}

// replacedTries is how often a file is looked at that is replaced while it is removed.
const replacedTries = 5

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	err := remote.Check(ctx, name)
	if err == nil && name == "." {
		err = remote.ErrIsDir
	}
	for tried := 1; err == nil; tried++ {
		var m *metadata
		if m, err = r.stat(ctx, name); err != nil {
			break
		}
		if m.Tag == tagFolder {
			err = remote.ErrIsDir // all that is in it would be removed
			break
		}
		err = r.remove(ctx, name, m.Rev)
		if err == nil || !errors.Is(err, remote.ErrChanged) || tried == replacedTries {
			break
		}
		err = nil
	}
	return fail("remove", name, err)
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	err := remote.Check(ctx, name)
	if err == nil && name == "." {
		err = remote.ErrIsDir
	}
	if err == nil {
		err = r.remove(ctx, name, version)
	}
	return fail("remove", name, err)
}

// remove removes a file if it has that revision, else it is ErrChanged.
func (r *Remote) remove(ctx context.Context, name, rev string) error {
	err := r.service.change(ctx, "files/delete_v2", deleteArg{r.path(name), rev}, nil)
	if has(err, "conflict") {
		return remote.ErrChanged
	}
	return unreadable(err)
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	err := r.checkNew(ctx, dir)
	if err == nil && dir == "." {
		err = remote.ErrExist
	}
	if err == nil {
		err = r.checkParent(ctx, dir)
	}
	if err == nil {
		err = r.service.change(ctx, "files/create_folder_v2", pathArg{r.path(dir)}, nil)
	}
	if has(err, "conflict/folder") || has(err, "conflict/file") {
		err = remote.ErrExist
	}
	if err == nil {
		r.parents.add(dir)
	}
	return fail("mkdir", dir, err)
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	err := remote.Check(ctx, dir)
	if err == nil && dir == "." {
		err = remote.ErrPermission
	}
	if err == nil {
		err = r.rmdir(ctx, dir)
	}
	return fail("rmdir", dir, err)
}

func (r *Remote) rmdir(ctx context.Context, dir string) error {
	var page listPage
	if err := r.service.rpc(ctx, "files/list_folder", listArg{Path: r.path(dir), Limit: 1}, &page); err != nil {
		return unreadable(err)
	}
	if len(page.Entries) > 0 || page.More {
		return remote.ErrNotEmpty
	}
	r.parents.forget(dir)
	return r.service.change(ctx, "files/delete_v2", deleteArg{Path: r.path(dir)}, nil)
}
