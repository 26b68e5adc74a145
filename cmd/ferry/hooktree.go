package main

import (
	"context"
	"errors"
	"io/fs"

	"ferry/events"
	"ferry/vfs"
)

// storedNow reports whether the remote has the file of e.
func (ls *listenings) storedNow(ctx context.Context, e *events.Event) (bool, error) {
	tree, release, err := ls.find(ctx, e)
	if err != nil {
		return false, err
	}
	defer release()
	return tree.Stored(ctx, *e)
}

// renamedNow reports whether the file of e has left its name, which a rename to another path was to
// have it do.
func (ls *listenings) renamedNow(ctx context.Context, e *events.Event, _ string) (bool, error) {
	tree, release, err := ls.find(ctx, e)
	if err != nil {
		return false, err
	}
	defer release()
	_, err = tree.View("").Stat(ctx, e.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return false, err
}

func (ls *listenings) find(ctx context.Context, e *events.Event) (*vfs.FS, func(), error) {
	if ls.treeOf == nil {
		return nil, nil, errNotServed
	}
	return ls.treeOf(ctx, e)
}
