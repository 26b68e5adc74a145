package onedrive

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ferry/remote"
)

// replace moves a file over another one. The service is asked to do that in one step; its
// documentation promises that for new files alone, and where it refuses, the old file steps aside
// first, and is removed at the end. Whoever asks this Remote for the name meanwhile waits; when the
// process is killed in between, the next one that asks gives the old file its name back.
func (r *Remote) replace(ctx context.Context, f, old *found, goes place, to string) error {
	err := r.rename(ctx, f.self, goes, "replace")
	if !errors.Is(err, remote.ErrExist) {
		return err
	}
	if !r.canStepAside(to) {
		return remote.ErrUnsupported // it is copied and stored
	}
	release, err := r.names.Change(ctx, strings.ToLower(to))
	if err != nil {
		return err
	}
	defer release()
	defer r.replaced.Add(1)
	was := place{old.item.Parent.ID, old.item.Name}
	if was.folder == "" {
		was.folder = goes.folder
	}
	finishing, done := remote.Committed(ctx)
	defer done()
	aside := place{was.folder, r.opt.Encoding.Encode(asideOf(r.opt.Encoding.Decode(old.item.Name)))}
	tag, err := r.renameAt(ctx, old.self, old.item.ETag, aside, "")
	if errors.Is(err, remote.ErrExist) { // left by one who was killed before its last step
		if err := r.dropAside(ctx, to); err != nil {
			return err
		}
		tag, err = r.renameAt(ctx, old.self, old.item.ETag, aside, "")
	}
	if errors.Is(err, remote.ErrNotExist) {
		err = fmt.Errorf("another program has removed the old file: %v", err)
	}
	if err != nil {
		r.asides.failed()
		return contested(err)
	}
	if err := r.rename(finishing, f.self, goes, ""); err != nil {
		r.asides.failed()
		_, backErr := r.renameAt(finishing, old.self, tag, was, "")
		if backErr != nil && !errors.Is(backErr, remote.ErrExist) && !errors.Is(backErr, remote.ErrChanged) {
			err = fmt.Errorf("the old file is called %s until it is asked for: %w", aside.name, err)
		}
		return contested(err)
	}
	err = r.delete(finishing, old.self, tag)
	if errors.Is(err, remote.ErrChanged) {
		err = r.dropAside(finishing, to)
	}
	if err != nil && !errors.Is(err, remote.ErrNotExist) {
		r.asides.failed()
		remote.Warn(ctx, "a file that was replaced is left over", "name", aside.name, "error", err)
	}
	return nil
}

// contested returns err, so that the whole is tried once more where another program was at the same
// name.
func contested(err error) error {
	if errors.Is(err, remote.ErrExist) || errors.Is(err, remote.ErrChanged) {
		return fmt.Errorf("another change of the file is under way: %v", err)
	}
	return err
}
