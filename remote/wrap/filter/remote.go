package filter

import (
	"context"
	"io/fs"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// Remote is a remote from which a policy leaves something out.
type Remote struct {
	*intercept.Remote
	policy policy
}

// A policy says which names do not exist, and which may not be made.
type policy interface {
	// exists returns an error unless name exists, whatever it is.
	exists(ctx context.Context, op, name string) error
	// allowCreate returns an error unless a name of k may be made.
	allowCreate(ctx context.Context, op, name string, k kind) error
	// mayBecome returns an error unless c, a Move or a Copy of what exists, may make its new name.
	mayBecome(ctx context.Context, c *intercept.Call) error
	// call makes a call. Those of Stat, List, Open, Part and DropPart come to it unchecked.
	call(ctx context.Context, c *intercept.Call) error
}

// New returns what f leaves of r.
func New(r remote.Remote, f *Filter) *Remote {
	left := &Remote{}
	left.Remote = intercept.New(r, left.call)
	left.policy = &filtering{left, f, newMarkers(r, f.options.ExcludeIfPresent)}
	return left
}

// A kind is what a name may be that is asked about.
type kind uint8

const (
	aFile kind = 1 << iota
	aDir
	anything = aFile | aDir
)

// call is around every call.
func (r *Remote) call(ctx context.Context, c *intercept.Call) error {
	var err error
	op := string(c.Op)
	switch c.Op {
	case intercept.Put, intercept.Stage:
		err = r.policy.allowCreate(ctx, op, c.Name, aFile)
	case intercept.Mkdir:
		err = r.policy.allowCreate(ctx, op, c.Name, aDir)
	case intercept.Move, intercept.Copy:
		if err = r.policy.exists(ctx, op, c.Name); err == nil {
			err = r.policy.mayBecome(ctx, c)
		}
	case intercept.Remove, intercept.Rmdir, intercept.SetModTime, intercept.SetMode, intercept.Hash:
		err = r.policy.exists(ctx, op, c.Name)
	}
	if err != nil {
		return err
	}
	return r.policy.call(ctx, c)
}

// AllowCreate returns the error of making a file or directory called name, nil where it would not
// be left out, neither by this policy nor by one below.
func (r *Remote) AllowCreate(ctx context.Context, name string, dir bool) error {
	op, k := "create", aFile
	if dir {
		op, k = "mkdir", aDir
	}
	if err := r.policy.allowCreate(ctx, op, name, k); err != nil {
		return err
	}
	if below, ok := r.Forward.Remote.(*Remote); ok {
		return below.AllowCreate(ctx, name, dir)
	}
	return nil
}

// A refusal is the error of making what would be left out.
type refusal struct {
	*fs.PathError
	hint string
}

// Hint returns a line for the client.
func (r *refusal) Hint() string { return r.hint }

func (r *refusal) Unwrap() error { return r.PathError }

func refuse(op, name, hint string) error {
	return &refusal{&fs.PathError{Op: op, Path: name, Err: remote.ErrBadName}, hint}
}

func missing(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: remote.ErrNotExist}
}
