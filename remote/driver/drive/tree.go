package drive

import (
	"context"
	"net/url"

	"ferry/remote"
)

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	return r.fail("remove", name, r.removing(ctx, name, ""))
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	return r.fail("remove", name, r.removing(ctx, name, version))
}

func (r *Remote) removing(ctx context.Context, name, version string) error {
	err := r.checkOld(ctx, name)
	if err == nil && name == "." {
		err = remote.ErrIsDir
	}
	if err != nil {
		return err
	}
	release, err := r.names.Change(ctx, r.full(name))
	if err != nil {
		return err
	}
	defer release()
	return r.again(func() error { return r.remove(ctx, name, version) })
}

func (r *Remote) remove(ctx context.Context, name, version string) error {
	it, err := r.named(ctx, name)
	if err != nil {
		return err
	}
	content, err := r.content(ctx, it.file)
	_, base := remote.Split(name)
	switch {
	case err != nil && it.Shortcut == nil:
		return err
	case it.isFolder():
		return remote.ErrIsDir
	case version != "" && (err != nil || r.entry(base, it.file, content).Version != version):
		return remote.ErrChanged
	}
	if err := r.discardReplaced(ctx, it); err != nil {
		return err
	}
	return r.discard(ctx, it.ID, r.options.DeleteForever)
}

// checkOld is what every operation that removes something begins with.
func (r *Remote) checkOld(ctx context.Context, name string) error {
	err := remote.Check(ctx, name)
	if err == nil && r.readOnly() {
		err = remote.ErrPermission
	}
	return err
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
	return r.fail("mkdir", dir, err)
}

func (r *Remote) mkdir(ctx context.Context, dir string) error {
	release, err := r.names.Change(ctx, r.full(dir))
	if err != nil {
		return err
	}
	defer release()
	return r.again(func() error {
		t, err := r.target(ctx, dir)
		switch {
		case err != nil:
			return err
		case t.old != nil:
			return remote.ErrExist
		}
		sends := change{Name: r.write(t.base), MimeType: folderType, Parents: []string{t.folder}}
		made, err := r.create(ctx, "files", described(), sends)
		if err != nil {
			return err
		}
		return r.verifyFolder(ctx, t, made)
	})
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	err := r.checkOld(ctx, dir)
	if err == nil && dir == "." {
		err = remote.ErrPermission
	}
	if err == nil {
		err = r.rmdir(ctx, dir)
	}
	return r.fail("rmdir", dir, err)
}

func (r *Remote) rmdir(ctx context.Context, dir string) error {
	release, err := r.names.Change(ctx, r.full(dir))
	if err != nil {
		return err
	}
	defer release()
	return r.again(func() error {
		it, err := r.named(ctx, dir)
		switch {
		case err != nil:
			return err
		case !it.isFolder():
			return remote.ErrNotDir
		case it.Shortcut != nil: // the folder stays
			defer r.dirs.forgetPath(r.full(dir))
			return r.discard(ctx, it.ID, r.options.DeleteForever)
		}
		empty := true
		err = r.service.list(ctx, quoted(it.ID)+" in parents and trashed = false", "", 1, "id", func(*file) bool {
			empty = false
			return false
		})
		switch {
		case err != nil:
			return err
		case !empty:
			return remote.ErrNotEmpty
		}
		defer r.dirs.forgetPath(r.full(dir))
		return r.removeFolder(ctx, it.ID)
	})
}

// removeFolder puts an empty folder into the trash. What another program has put into it meanwhile
// brings it back.
func (r *Remote) removeFolder(ctx context.Context, id string) error {
	finishing, release := remote.Committed(ctx) // what follows belongs to it
	defer release()
	if err := r.discard(ctx, id, false); err != nil {
		return err
	}
	full := false
	err := r.service.list(finishing, quoted(id)+" in parents", "", 100, "id,explicitlyTrashed", func(f *file) bool {
		full = !f.Explicitly
		return !full
	})
	if err == nil && full {
		if _, err = r.service.patch(finishing, id, url.Values{}, change{Trashed: new(false)}); err != nil {
			return err
		}
		return remote.ErrNotEmpty
	}
	if r.options.DeleteForever && err == nil {
		return r.discard(finishing, id, true)
	}
	return nil // it is gone
}
