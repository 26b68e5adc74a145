package onedrive

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"ferry/remote"
	"ferry/remote/partname"
)

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	return remote.Fail("remove", name, r.remove(ctx, name, ""))
}

// RemoveVersion implements remote.VersionRemover. The service checks the precondition.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	return remote.Fail("remove", name, r.remove(ctx, name, version))
}

// remove looks first: the service removes directories with all that is in them.
func (r *Remote) remove(ctx context.Context, name, version string) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	f, err := r.look(ctx, name)
	switch {
	case err != nil:
		return err
	case f.item.isDir():
		return remote.ErrIsDir
	case version != "" && f.item.content().CTag != version:
		return remote.ErrChanged
	}
	if err := r.dropReplaced(ctx, name); err != nil {
		return err
	}
	return r.delete(ctx, f.self, version)
}

// A newFolder asks for one.
type newFolder struct {
	Name     string   `json:"name"`
	Folder   struct{} `json:"folder"`
	Conflict string   `json:"@microsoft.graph.conflictBehavior"`
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	err := r.checkNew(ctx, dir)
	if err == nil && dir == "." {
		err = remote.ErrExist
	}
	if err == nil {
		err = r.mkdir(ctx, dir)
	}
	return remote.Fail("mkdir", dir, err)
}

func (r *Remote) mkdir(ctx context.Context, dir string) error {
	in, err := r.dir(ctx, dir)
	if err != nil {
		return err
	}
	_, base := remote.Split(dir)
	i := new(item)
	err = r.api.do(ctx, call{
		method: http.MethodPost,
		to:     in.target.address() + "/children",
		sends:  newFolder{Name: r.opt.Encoding.Encode(base), Conflict: "fail"},
	}, i)
	if err == nil && i.ID != "" {
		r.took(dir, i, in.target.drive)
	}
	return err
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	err := check(ctx, dir)
	if err == nil && dir == "." {
		err = remote.ErrPermission
	}
	if err == nil {
		err = r.rmdir(ctx, dir)
	}
	return remote.Fail("rmdir", dir, err)
}

// rmdir looks whether the directory is empty. What others store in it just then goes to the recycle
// bin with it.
func (r *Remote) rmdir(ctx context.Context, dir string) error {
	f, err := r.look(ctx, dir)
	if err != nil {
		return err
	}
	if !f.item.isDir() {
		return remote.ErrNotDir
	}
	switch empty, err := r.isEmpty(ctx, f); {
	case err != nil:
		return err
	case !empty:
		return remote.ErrNotEmpty
	}
	if err := r.delete(ctx, f.self, ""); err != nil {
		return err
	}
	r.mounts.forget(dir)
	return nil
}

// isEmpty reports whether nothing is in a directory but hidden files, which are left over.
func (r *Remote) isEmpty(ctx context.Context, dir *found) (bool, error) {
	c := call{method: http.MethodGet, to: dir.target.address() + "/children"}
	c.query = url.Values{"$top": {strconv.Itoa(maxSweep)}, "$select": {"id,name"}}.Encode()
	var p page
	if err := r.api.do(ctx, c, &p); err != nil {
		return false, err
	}
	for _, i := range p.Value {
		if i == nil || !partname.Hidden(r.opt.Encoding.Decode(i.Name)) {
			return false, nil
		}
	}
	return p.Next == "", nil
}
