package onedrive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"ferry/remote"
)

// asideMark is in the names of files that are just being replaced by others.
const asideMark = ".ferry-replaced-"

// replace moves a file over another one. The service is asked to do that in one step; its
// documentation promises that for new files alone, and where it refuses, the old file steps aside
// first, and is removed at the end. Whoever asks this Remote for the name meanwhile waits. What is
// left when the process is killed in between has a name that shows, so that it is found.
func (r *Remote) replace(ctx context.Context, f, old *found, goes place, to string) error {
	err := r.rename(ctx, f.self, goes, "replace")
	if !errors.Is(err, remote.ErrExist) {
		return err
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
	aside := place{was.folder, shorten(old.item.Name) + asideMark + rand.Text()[:8]}
	finishing, done := remote.Committed(ctx)
	defer done()
	if err := r.rename(ctx, old.self, aside, ""); err != nil {
		return err
	}
	if err := r.rename(finishing, f.self, goes, ""); err != nil {
		if backErr := r.rename(finishing, old.self, was, ""); backErr != nil {
			return fmt.Errorf("the old file is called %s now, in the same folder: %w", aside.name, err)
		}
		return err
	}
	if err := r.delete(finishing, old.self, ""); err != nil && !errors.Is(err, remote.ErrNotExist) {
		remote.Warn(ctx, "a file that was replaced is left over", "name", aside.name, "error", err)
	}
	return nil
}

// shorten leaves room for a mark behind a name.
func shorten(name string) string {
	const most = maxName - len(asideMark) - 8
	runes := []rune(name)
	for len(runes) > 0 && units(string(runes)) > most {
		runes = runes[:len(runes)-1]
	}
	return string(runes)
}
