package drive

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"ferry/remote"
)

// Move implements remote.Mover. The new name is given in one request, together with the note that
// what has it now does not count any more; that is removed afterwards.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	err := r.checkOld(ctx, from)
	if err == nil {
		err = r.checkNew(ctx, to)
	}
	if err != nil {
		return r.fail("move", from, err)
	}
	release, err := r.names.Change(ctx, r.full(from), r.full(to))
	if err != nil {
		return r.fail("move", from, err)
	}
	defer release()
	return r.fail("move", from, r.again(func() error { return r.move(ctx, from, to) }))
}

func (r *Remote) move(ctx context.Context, from, to string) error {
	it, err := r.movable(ctx, from, to)
	if err != nil || from == to {
		return err
	}
	f := it.file
	t, err := r.target(ctx, to)
	if err != nil {
		return err
	}
	if t.old != nil && t.old.ID == f.ID { // by way of a shortcut to its folder
		return nil
	}
	old, err := replaced(t, f.isFolder())
	if err != nil {
		return err
	}
	name, err := r.newName(f, t.base)
	switch {
	case err != nil:
		return err
	case t.folder == sharedRoot:
		return remote.ErrPermission
	}
	sends := change{Name: name, ModifiedTime: f.ModifiedTime, AppProperties: replaces(f, old)}
	query := url.Values{}
	if !slices.Contains(f.Parents, t.folder) {
		query.Set("addParents", t.folder)
		if len(f.Parents) > 0 {
			query.Set("removeParents", strings.Join(f.Parents, ","))
		}
	}
	if err := r.discardReplaced(ctx, it); err != nil {
		return err
	}
	defer r.dirs.forgetPath(r.full(from))
	err = settled(ctx, func(ctx context.Context) error {
		_, err := r.service.patch(ctx, f.ID, query, sends)
		return err
	}, func(ctx context.Context) bool {
		now, err := r.service.get(ctx, f.ID, "id,name,parents")
		return err == nil && now.Name == name && slices.Contains(now.Parents, t.folder)
	})
	if err != nil {
		return err
	}
	r.recent.note(t.folder, name, f.ID)
	finishing, release := remote.Committed(ctx) // what follows belongs to it
	defer release()
	r.discardOld(finishing, old)
	return nil
}

// movable returns what is called from, if it can get the name to.
func (r *Remote) movable(ctx context.Context, from, to string) (item, error) {
	if from == "." {
		if to == "." {
			root, err := r.statRoot(ctx)
			return item{file: root}, err
		}
		return item{}, remote.ErrInvalid
	}
	it, err := r.named(ctx, from)
	switch {
	case err != nil || from == to:
		return it, err
	case it.isFolder() && remote.Below(to, from):
		return item{}, remote.ErrInvalid
	case to == "." && it.isFolder():
		return item{}, remote.ErrExist
	case to == ".":
		return item{}, remote.ErrIsDir
	}
	return it, nil
}

// replaced returns what something that gets the name of a target replaces: files only, and nothing
// for a folder.
func replaced(t target, byFolder bool) ([]*file, error) {
	switch {
	case t.old == nil:
		return nil, nil
	case byFolder:
		return nil, remote.ErrExist
	case t.old.isFolder():
		return nil, remote.ErrIsDir
	case t.old.isDocument():
		return nil, errors.Join(errDocument, remote.ErrPermission)
	}
	return slices.DeleteFunc(append([]*file{t.old}, t.others...), func(f *file) bool { return f.isFolder() || f.isDocument() }), nil
}

// newName returns the name that Drive has for f when it is to be shown as base. A document keeps
// its extension.
func (r *Remote) newName(f *file, base string) (string, error) {
	if !f.isDocument() {
		return r.write(base), nil
	}
	form, _ := r.formatOf(f)
	stem, ok := strings.CutSuffix(base, form.extension)
	if !ok || stem == "" {
		return "", errors.Join(errDocument, remote.ErrPermission)
	}
	return r.write(stem), nil
}

// Copy implements remote.Copier.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	err := r.checkOld(ctx, from)
	if err == nil {
		err = r.checkNew(ctx, to)
	}
	if err == nil && to == "." {
		err = remote.ErrIsDir
	}
	if err != nil {
		return r.fail("copy", from, err)
	}
	release, err := r.names.Change(ctx, r.full(to))
	if err != nil {
		return r.fail("copy", from, err)
	}
	defer release()
	return r.fail("copy", from, r.again(func() error { return r.copy(ctx, from, to) }))
}

func (r *Remote) copy(ctx context.Context, from, to string) error {
	f, content, err := r.lookup(ctx, from)
	switch {
	case err != nil:
		return err
	case f.isFolder():
		return remote.ErrIsDir
	case from == to:
		return nil
	}
	t, err := r.target(ctx, to)
	if err != nil {
		return err
	}
	old, err := replaced(t, false)
	if err != nil {
		return err
	}
	name, err := r.newName(content, t.base)
	switch {
	case err != nil:
		return remote.ErrUnsupported // it is read and written as a file
	case t.folder == sharedRoot:
		return remote.ErrPermission
	}
	sends := change{Name: name, Parents: []string{t.folder}, ModifiedTime: content.ModifiedTime, AppProperties: replaces(&file{}, old)}
	query := described()
	if !content.isDocument() { // of which no revisions can be kept
		query = r.service.stored()
	}
	made, err := r.create(ctx, filePath(content.ID)+"/copy", query, sends)
	if err != nil {
		return err
	}
	return r.verifyFile(ctx, t, made)
}
