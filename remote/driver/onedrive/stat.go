package onedrive

import (
	"context"
	"errors"
	"fmt"

	"ferry/remote"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if err := check(ctx, name); err != nil {
		return remote.Entry{}, remote.Fail("stat", name, err)
	}
	f, err := r.look(ctx, name)
	if name == "." && r.opt.RootID != "" && errors.Is(err, remote.ErrNotExist) {
		err = fmt.Errorf("%w: check the option root_folder_id, or correct the path", remote.ErrNotExist)
	}
	if err != nil {
		return remote.Entry{}, remote.Fail("stat", name, err)
	}
	_, base := remote.Split(name)
	return f.item.entry(base), nil
}

// dir finds the directory that name is in.
func (r *Remote) dir(ctx context.Context, name string) (*found, error) {
	dir, _ := remote.Split(name)
	f, err := r.look(ctx, dir)
	if err == nil && !f.item.isDir() {
		err = remote.ErrNotDir
	}
	return f, err
}
