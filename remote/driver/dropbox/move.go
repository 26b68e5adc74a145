package dropbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"ferry/remote"
)

type relocation struct {
	From string `json:"from_path"`
	To   string `json:"to_path"`
}

// Move implements remote.Mover. A file over a file is ErrUnsupported.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	err := remote.Check(ctx, from)
	if err == nil {
		err = r.checkNew(ctx, to)
	}
	if err == nil {
		err = r.move(ctx, from, to)
	}
	return fail("move", from, err)
}

func (r *Remote) move(ctx context.Context, from, to string) error {
	if from == to || from == "." || to == "." || remote.Below(to, from) {
		return r.moveNowhere(ctx, from, to)
	}
	if err := r.checkParent(ctx, to); err != nil {
		return err
	}
	if strings.EqualFold(from, to) {
		return r.changeCase(ctx, from, to)
	}
	return r.relocate(ctx, "files/move_v2", from, to)
}

// moveNowhere is a move that needs no request to move anything.
func (r *Remote) moveNowhere(ctx context.Context, from, to string) error {
	m, err := r.stat(ctx, from)
	switch {
	case err != nil:
		return err
	case from == to:
		return nil
	case m.Tag != tagFolder && to == ".":
		return remote.ErrIsDir
	case m.Tag != tagFolder:
		return remote.ErrNotDir
	case to == "." && from != ".":
		return remote.ErrExist
	}
	return remote.ErrInvalid
}

// relocate moves or copies, and says what is in the way.
func (r *Remote) relocate(ctx context.Context, route, from, to string) error {
	r.parents.forget(from)
	err := r.service.change(ctx, route, relocation{r.path(from), r.path(to)}, nil)
	switch {
	case has(err, "from_lookup"):
		return unreadable(err)
	case has(err, "too_many_files"):
		return fmt.Errorf("a directory of more than 10,000 files cannot be moved at once: %w", err)
	case !has(err, "to/conflict/file") && !has(err, "to/conflict/folder"):
		return err
	}
	m, statErr := r.stat(ctx, from)
	switch {
	case statErr != nil:
		return statErr
	case m.Tag == tagFolder:
		return remote.ErrExist
	case has(err, "to/conflict/folder"):
		return remote.ErrIsDir
	}
	return remote.ErrUnsupported
}

// changeCase renames to a name that is the same for Dropbox, which refuses that: by way of another
// name. What comes to be called so for good, as something breaks, is found by its name.
func (r *Remote) changeCase(ctx context.Context, from, to string) error {
	dir, base := remote.Split(to)
	way := remote.Join(dir, fmt.Sprintf("%.200s.renaming-%s", strings.ToValidUTF8(base, ""), rand.Text()[:8]))
	if err := r.relocate(ctx, "files/move_v2", from, way); err != nil {
		return err
	}
	finishing, release := remote.Committed(ctx)
	defer release()
	err := r.relocate(finishing, "files/move_v2", way, to)
	if err == nil {
		return nil
	}
	if back := r.relocate(finishing, "files/move_v2", way, from); back != nil {
		return fmt.Errorf("it is called %s now: %w", way, errors.Join(err, back))
	}
	return err
}

// Copy implements remote.Copier. A file over a file is ErrUnsupported.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	err := remote.Check(ctx, from)
	if err == nil {
		err = r.checkNew(ctx, to)
	}
	if err == nil && to == "." {
		err = remote.ErrIsDir
	}
	if err == nil {
		err = r.copy(ctx, from, to)
	}
	return fail("copy", from, err)
}

func (r *Remote) copy(ctx context.Context, from, to string) error {
	m, err := r.stat(ctx, from)
	switch {
	case err != nil:
		return err
	case m.Tag == tagFolder:
		return remote.ErrIsDir // all that is in it would be copied
	case strings.EqualFold(from, to):
		return nil
	}
	if err := r.checkParent(ctx, to); err != nil {
		return err
	}
	return r.relocate(ctx, "files/copy_v2", from, to)
}
