package combine_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"time"

	"ferry/remote"
)

// below is the directory dir of a remote as a remote of its own, so that the suite, which wants a
// root that it can change, sees an upstream through the tree that it is part of.
type below struct {
	r   remote.Remote
	dir string
}

func (b below) name(name string) string {
	switch {
	case name == ".":
		return b.dir
	case !remote.ValidPath(name):
		return name
	}
	return b.dir + "/" + name
}

func (b below) entry(e remote.Entry) remote.Entry {
	if e.Name == b.dir {
		e.Name = "."
	}
	return e
}

func (b below) Info() remote.Info { return b.r.Info() }
func (b below) Close() error      { return b.r.Close() }

func (b below) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := b.r.Stat(ctx, b.name(name))
	if name == "." {
		e = b.entry(e)
	}
	return e, err
}

func (b below) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return b.r.List(ctx, b.name(dir))
}

func (b below) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	return b.r.Open(ctx, b.name(name), off, n)
}

func (b below) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	return b.r.Put(ctx, b.name(name), body, o)
}

func (b below) Remove(ctx context.Context, name string) error { return b.r.Remove(ctx, b.name(name)) }
func (b below) Mkdir(ctx context.Context, dir string) error   { return b.r.Mkdir(ctx, b.name(dir)) }

func (b below) Rmdir(ctx context.Context, dir string) error {
	return b.r.Rmdir(ctx, b.name(dir))
}

func (b below) Move(ctx context.Context, from, to string) error {
	return b.r.(remote.Mover).Move(ctx, b.name(from), b.name(to))
}

func (b below) Copy(ctx context.Context, from, to string) error {
	return b.r.(remote.Copier).Copy(ctx, b.name(from), b.name(to))
}

func (b below) SetModTime(ctx context.Context, name string, t time.Time) error {
	return remote.SetModTime(ctx, b.r, b.name(name), t)
}

func (b below) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return remote.SetMode(ctx, b.r, b.name(name), perm)
}

func (b below) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	return remote.Hash(ctx, b.r, b.name(name), algorithm)
}

func (b below) Usage(ctx context.Context) (remote.Usage, error) { return remote.GetUsage(ctx, b.r) }

// staged is below for a tree that is a Stager.
type staged struct{ below }

var errNoStager = errors.New("the tree is no Stager")

func (b staged) stager() (remote.Stager, error) {
	if s, ok := remote.AsStager(b.r); ok {
		return s, nil
	}
	return nil, errNoStager
}

func (b staged) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := b.stager()
	if err != nil {
		return nil, err
	}
	return s.Stage(ctx, b.name(name), o)
}

func (b staged) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	s, err := b.stager()
	if err != nil {
		return remote.Entry{}, err
	}
	return s.Part(ctx, b.name(name), owner)
}

func (b staged) DropPart(ctx context.Context, name, owner string) error {
	s, err := b.stager()
	if err != nil {
		return err
	}
	return s.DropPart(ctx, b.name(name), owner)
}
