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

// renamedNow reports whether a rename to another name was made. Where that is a copy and a removal,
// the file may have both names.
func (ls *listenings) renamedNow(ctx context.Context, e *events.Event, to string) (bool, error) {
	tree, release, err := ls.find(ctx, e)
	if err != nil {
		return false, err
	}
	defer release()
	_, err = tree.View("").Stat(ctx, e.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	moved := *e
	moved.Name, moved.Replaced = to, ""
	return tree.Stored(ctx, moved)
}

func (ls *listenings) find(ctx context.Context, e *events.Event) (*vfs.FS, func(), error) {
	if ls.treeOf == nil {
		return nil, nil, errNotServed
	}
	return ls.treeOf(ctx, e)
}
