package filter

import (
	"context"

	"ferry/remote"
)

// Move implements remote.Mover. A directory takes along what is left out of it.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	if err := r.between(ctx, "move", from, to); err != nil {
		return err
	}
	return r.Forward.Move(ctx, from, to)
}

// Copy implements remote.Copier.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	if err := r.between(ctx, "copy", from, to); err != nil {
		return err
	}
	return r.Forward.Copy(ctx, from, to)
}

// between returns an error unless from exists and to may be made of it.
func (r *Remote) between(ctx context.Context, op, from, to string) error {
	if err := r.exists(ctx, op, from); err != nil {
		return err
	}
	k := anything
	if r.filter.dir(to) != r.filter.file(to) {
		e, err := r.Forward.Stat(ctx, from)
		if err != nil {
			return err
		}
		if k = aFile; e.Dir {
			k = aDir
		}
	}
	return r.mayMake(ctx, op, to, k)
}

// Stage implements remote.Stager.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if err := r.mayMake(ctx, "stage", name, aFile); err != nil {
		return nil, err
	}
	return r.Forward.Stage(ctx, name, o)
}

// Part implements remote.Stager.
func (r *Remote) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	if err := r.mayExist(ctx, "part", name, aFile); err != nil {
		return remote.Entry{}, err
	}
	return r.Forward.Part(ctx, name, owner)
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	if err := r.mayExist(ctx, "droppart", name, aFile); err != nil {
		return err
	}
	return r.Forward.DropPart(ctx, name, owner)
}
