package logged

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"time"

	"ferry/remote"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	ctx, c := r.begin(ctx, "stat", name)
	e, err := r.Forward.Stat(ctx, name)
	c.end(ctx, err)
	return e, err
}

// List implements remote.Remote.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		ctx, c := r.begin(ctx, "list", dir)
		var left omissions
		ctx = remote.WithOmitted(ctx, left.add)
		defer r.warnOf(ctx, dir, &left)
		n := 0
		var last error
		defer func() { c.end(ctx, last, slog.Int("entries", n)) }()
		for e, err := range r.Forward.List(ctx, dir) {
			if last = err; err == nil {
				n++
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Open implements remote.Remote. It is logged when the reader is closed. An *os.File is passed on
// as it is, and logged at once.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	ctx, c := r.begin(ctx, "open", name)
	rc, err := r.Forward.Open(ctx, name, off, n)
	span := []slog.Attr{slog.Int64("offset", off)}
	if n >= 0 {
		span = append(span, slog.Int64("length", n))
	}
	if err != nil {
		c.end(ctx, err, span...)
		return nil, err
	}
	if _, local := rc.(*os.File); local {
		c.end(ctx, nil, span...)
		return rc, nil
	}
	return remote.TapReader(rc, c.moved, func(err error) { c.endStream(ctx, err, span...) }), nil
}

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	ctx, c := r.begin(ctx, "put", name)
	// An error of body is one of the Put.
	body = remote.TapBody(body, func(n int64, _ error) { c.moved(n, nil) })
	e, err := r.Forward.Put(ctx, name, body, o)
	c.endStream(ctx, err)
	return e, err
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	ctx, c := r.begin(ctx, "remove", name)
	err := r.Forward.Remove(ctx, name)
	c.end(ctx, err)
	return err
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	ctx, c := r.begin(ctx, "remove", name)
	err := r.Forward.RemoveVersion(ctx, name, version)
	c.end(ctx, err, slog.String("version", version))
	return err
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	ctx, c := r.begin(ctx, "mkdir", dir)
	err := r.Forward.Mkdir(ctx, dir)
	c.end(ctx, err)
	return err
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	ctx, c := r.begin(ctx, "rmdir", dir)
	err := r.Forward.Rmdir(ctx, dir)
	c.end(ctx, err)
	return err
}

// Move implements remote.Mover.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	ctx, c := r.begin(ctx, "move", from)
	err := r.Forward.Move(ctx, from, to)
	c.end(ctx, err, slog.String("to", to))
	return err
}

// Copy implements remote.Copier.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	ctx, c := r.begin(ctx, "copy", from)
	err := r.Forward.Copy(ctx, from, to)
	c.end(ctx, err, slog.String("to", to))
	return err
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	ctx, c := r.begin(ctx, "setmodtime", name)
	err := r.Forward.SetModTime(ctx, name, t)
	c.end(ctx, err, slog.Time("modtime", t))
	return err
}

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	ctx, c := r.begin(ctx, "setmode", name)
	err := r.Forward.SetMode(ctx, name, perm)
	c.end(ctx, err, slog.String("mode", perm.String()))
	return err
}

// Hash implements remote.Hasher.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	ctx, c := r.begin(ctx, "hash", name)
	sum, err := r.Forward.Hash(ctx, name, algorithm)
	c.end(ctx, err, slog.String("algorithm", algorithm))
	return sum, err
}

// CheckTarget implements remote.TargetChecker.
func (r *Remote) CheckTarget(ctx context.Context, name string) error {
	ctx, c := r.begin(ctx, "checktarget", name)
	err := r.Forward.CheckTarget(ctx, name)
	c.end(ctx, err)
	return err
}

// Usage implements remote.Usager.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	ctx, c := r.begin(ctx, "usage", ".")
	u, err := r.Forward.Usage(ctx)
	c.end(ctx, err)
	return u, err
}

// Stage implements remote.Stager. Its end is logged too, with the bytes that were written.
func (r *Remote) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	ctx, c := r.begin(ctx, "stage", name)
	s, err := r.Forward.Stage(ctx, name, o)
	c.end(ctx, err, slog.Int64("offset", o.Off))
	if err != nil {
		return nil, err
	}
	_, written := r.begin(ctx, "", name)
	return remote.TapStage(s, written.moved, func(op string, took time.Duration, err error) {
		written.mu.Lock()
		end := &call{r: r, op: op, name: name, begun: time.Now().Add(-took), bytes: written.bytes, err: written.err}
		written.mu.Unlock()
		end.endStream(ctx, err)
	}), nil
}

// Part implements remote.Stager.
func (r *Remote) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	ctx, c := r.begin(ctx, "part", name)
	e, err := r.Forward.Part(ctx, name, owner)
	c.end(ctx, err)
	return e, err
}

// DropPart implements remote.Stager.
func (r *Remote) DropPart(ctx context.Context, name, owner string) error {
	ctx, c := r.begin(ctx, "droppart", name)
	err := r.Forward.DropPart(ctx, name, owner)
	c.end(ctx, err)
	return err
}
