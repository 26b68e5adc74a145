package count

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"os"
	"time"

	"ferry/remote"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	c := r.begin("stat")
	e, err := r.Forward.Stat(ctx, name)
	c.end(err)
	return e, err
}

// List implements remote.Remote.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		c := r.begin("list")
		var last error
		defer func() { c.end(last) }()
		for e, err := range r.Forward.List(ctx, dir) {
			last = err
			if !yield(e, err) {
				return
			}
		}
	}
}

// Open implements remote.Remote. An *os.File is passed on as it is.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	c := r.begin("open")
	rc, err := r.Forward.Open(ctx, name, off, n)
	if err != nil {
		c.end(err)
		return nil, err
	}
	if _, local := rc.(*os.File); local {
		c.end(nil)
		return rc, nil
	}
	return remote.TapReader(rc, c.received, c.end), nil
}

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	c := r.begin("put")
	// An error of body is one of the Put.
	body = remote.TapBody(body, func(n int64, _ error) { c.sent(n, nil) })
	e, err := r.Forward.Put(ctx, name, body, o)
	c.end(err)
	return e, err
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	c := r.begin("remove")
	err := r.Forward.Remove(ctx, name)
	c.end(err)
	return err
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	c := r.begin("remove")
	err := r.Forward.RemoveVersion(ctx, name, version)
	c.end(err)
	return err
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	c := r.begin("mkdir")
	err := r.Forward.Mkdir(ctx, dir)
	c.end(err)
	return err
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	c := r.begin("rmdir")
	err := r.Forward.Rmdir(ctx, dir)
	c.end(err)
	return err
}

// Move implements remote.Mover.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	c := r.begin("move")
	err := r.Forward.Move(ctx, from, to)
	c.end(err)
	return err
}

// Copy implements remote.Copier.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	c := r.begin("copy")
	err := r.Forward.Copy(ctx, from, to)
	c.end(err)
	return err
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	c := r.begin("setmodtime")
	err := r.Forward.SetModTime(ctx, name, t)
	c.end(err)
	return err
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	c := r.begin("setmode")
	err := r.Forward.SetMode(ctx, name, perm)
	c.end(err)
	return err
}

// Hash implements remote.Hasher.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	c := r.begin("hash")
	sum, err := r.Forward.Hash(ctx, name, algorithm)
	c.end(err)
	return sum, err
}

// Usage implements remote.Usager.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	c := r.begin("usage")
	u, err := r.Forward.Usage(ctx)
	c.end(err)
	return u, err
}

// Stage implements remote.Stager.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	c := r.begin("stage")
	s, err := r.Forward.Stage(ctx, name, o)
	if err != nil {
		c.end(err)
		return nil, err
	}
	return remote.TapStage(s, c.sent, func(op string, took time.Duration, err error) {
		ending := r.begin(op)
		ending.begun = ending.begun.Add(-took)
		ending.end(err)
		if op != "publish" || err == nil {
			c.end(nil)
		}
	}), nil
}

// Part implements remote.Stager.
func (r *Remote) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	c := r.begin("part")
	e, err := r.Forward.Part(ctx, name, owner)
	c.end(err)
	return e, err
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	c := r.begin("droppart")
	err := r.Forward.DropPart(ctx, name, owner)
	c.end(err)
	return err
}
