package prehooks

import (
	"context"
	"io"

	"ferry/events"
	"ferry/ftp"
)

// asking is a tree that asks before it does something.
type asking struct {
	ftp.Forward
	asker
}

// about asks about name and returns what the answer has in its place.
func (a *asking) about(ctx context.Context, what string, k events.Kind, name string) (string, error) {
	e := a.event(k)
	e.Path = "/" + name
	err := a.ask(ctx, question{name: what, event: e, rename: func(to string) { name = to }})
	return name, err
}

// askRename asks about a rename and returns the new name.
func (a *asking) askRename(ctx context.Context, from, to string) (string, error) {
	e := a.event(events.Rename)
	e.Path, e.To = "/"+from, "/"+to
	err := a.ask(ctx, question{name: preRename, event: e, rename: func(other string) { to = other }})
	return to, err
}

// Open implements ftp.FS.
func (a *asking) Open(ctx context.Context, name string, off int64) (io.ReadCloser, error) {
	name, err := a.about(ctx, preDownload, events.Download, name)
	if err != nil {
		return nil, err
	}
	return a.FS.Open(ctx, name, off)
}

// Create implements ftp.FS.
func (a *asking) Create(ctx context.Context, name string, off int64) (ftp.Upload, error) {
	return a.create(ctx, name, func(name string) (ftp.Upload, error) { return a.FS.Create(ctx, name, off) })
}

// CreateNew implements ftp.Keeper.
func (a *asking) CreateNew(ctx context.Context, name string, off int64, alone bool) (ftp.Upload, error) {
	return a.create(ctx, name, func(name string) (ftp.Upload, error) { return a.Forward.CreateNew(ctx, name, off, alone) })
}

func (a *asking) create(ctx context.Context, wanted string, do func(name string) (ftp.Upload, error)) (ftp.Upload, error) {
	name, err := a.about(ctx, preUpload, events.UploadReceived, wanted)
	if err != nil {
		return nil, err
	}
	u, err := do(name)
	if err != nil || name == wanted {
		return u, err
	}
	p := placed{u, name}
	if from, able := u.(io.ReaderFrom); able {
		return &placedFrom{p, from}, nil
	}
	return &p, nil
}

// placed is an upload of which a hook has said the name.
type placed struct {
	ftp.Upload
	name string
}

type placedFrom struct {
	placed
	io.ReaderFrom
}

// Unwrap implements ftp.Wrapping.
func (p *placed) Unwrap() ftp.Upload { return p.Upload }

// Name implements ftp.Placed.
func (p *placed) Name() string { return p.name }

// Remove implements ftp.FS.
func (a *asking) Remove(ctx context.Context, name string) error {
	name, err := a.about(ctx, preDelete, events.Delete, name)
	if err != nil {
		return err
	}
	return a.FS.Remove(ctx, name)
}

// Rmdir implements ftp.FS.
func (a *asking) Rmdir(ctx context.Context, dir string) error {
	dir, err := a.about(ctx, preDelete, events.Rmdir, dir)
	if err != nil {
		return err
	}
	return a.FS.Rmdir(ctx, dir)
}

// Rename implements ftp.FS.
func (a *asking) Rename(ctx context.Context, from, to string) error {
	to, err := a.askRename(ctx, from, to)
	if err != nil {
		return err
	}
	return a.FS.Rename(ctx, from, to)
}

// RenameNew implements ftp.Keeper.
func (a *asking) RenameNew(ctx context.Context, from, to string, alone bool) error {
	to, err := a.askRename(ctx, from, to)
	if err != nil {
		return err
	}
	return a.Forward.RenameNew(ctx, from, to, alone)
}

// RenameBeside implements ftp.Placer.
func (a *asking) RenameBeside(ctx context.Context, from, to string) (string, error) {
	to, err := a.askRename(ctx, from, to)
	if err != nil {
		return "", err
	}
	return a.Forward.RenameBeside(ctx, from, to)
}
