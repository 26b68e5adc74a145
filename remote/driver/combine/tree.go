package combine

import (
	"context"
	"io"
	"iter"

	"ferry/remote"
)

// root describes the root.
func root() remote.Entry { return remote.Entry{Name: ".", Dir: true, ReadOnly: true} }

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	p, err := r.find(ctx, name)
	if err != nil {
		return remote.Entry{}, remote.Renamed("stat", name, err)
	}
	if p.up == nil {
		return root(), nil
	}
	e, err := p.up.Remote.Stat(ctx, p.name)
	if err != nil {
		return remote.Entry{}, remote.Renamed("stat", name, err)
	}
	if p.top() {
		e.Name = p.up.Dir
	}
	return p.up.seen(e), nil
}

// List implements remote.Remote. An upstream that cannot be reached does not keep the others from
// being seen.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		p, err := r.find(ctx, dir)
		switch {
		case err != nil:
			yield(remote.Entry{}, remote.Renamed("list", dir, err))
			return
		case p.up == nil:
			r.listRoot(ctx, yield)
			return
		}
		for e, err := range p.up.Remote.List(ctx, p.name) {
			if e.Part != "" && !r.stages {
				continue // nobody can continue it here
			}
			if !yield(p.up.seen(e), remote.Renamed("list", dir, err)) {
				return
			}
		}
	}
}

func (r *Remote) listRoot(ctx context.Context, yield func(remote.Entry, error) bool) {
	for i := range r.upstreams {
		u := &r.upstreams[i]
		e, err := r.Stat(ctx, u.Dir)
		if ctx.Err() != nil {
			yield(remote.Entry{}, remote.Renamed("list", ".", context.Cause(ctx)))
			return
		}
		if err != nil {
			e = remote.Entry{Name: u.Dir, Dir: true}
		}
		if !yield(e, nil) {
			return
		}
	}
}

// Open implements remote.Remote.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	p, err := r.find(ctx, name)
	if err == nil && p.up == nil {
		err = remote.ErrIsDir
	}
	if err != nil {
		return nil, remote.Renamed("open", name, err)
	}
	f, err := p.up.Remote.Open(ctx, p.name, off, n)
	return f, remote.Renamed("open", name, err)
}

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	p, err := r.findNew(ctx, name)
	if err == nil && p.up == nil {
		err = remote.ErrIsDir
	}
	if err != nil {
		return remote.Entry{}, remote.Renamed("put", name, err)
	}
	o.FactsOf = r.factsIn(ctx, p.up, o.FactsOf)
	e, err := p.up.Remote.Put(p.up.uploads(ctx), p.name, body, o)
	return p.up.seen(e), remote.Renamed("put", name, err)
}

// PutIf implements remote.ConditionalPutter.
func (r *Remote) PutIf(
	ctx context.Context, name string, body io.Reader, version string, o remote.PutOptions,
) (remote.Entry, error) {
	p, err := r.findNew(ctx, name)
	if err == nil && p.up == nil {
		err = remote.ErrIsDir
	}
	if err != nil {
		return remote.Entry{}, remote.Renamed("put", name, err)
	}
	o.FactsOf = r.factsIn(ctx, p.up, o.FactsOf)
	e, err := remote.PutIf(p.up.uploads(ctx), p.up.Remote, p.name, body, version, o)
	return p.up.seen(e), remote.Renamed("put", name, err)
}

// factsIn is what an upstream calls the file whose facts are taken over; those of a file of
// another one cannot be.
func (r *Remote) factsIn(ctx context.Context, up *Upstream, name string) string {
	if p, err := r.find(ctx, name); name != "" && err == nil && p.up == up && !p.top() {
		return p.name
	}
	return ""
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	p, err := r.find(ctx, name)
	if err == nil && p.up == nil {
		err = remote.ErrIsDir
	}
	if err == nil {
		err = p.up.Remote.Remove(ctx, p.name)
	}
	return remote.Renamed("remove", name, err)
}

// RemoveVersion implements remote.VersionRemover.
func (r *Remote) RemoveVersion(ctx context.Context, name, version string) error {
	p, err := r.find(ctx, name)
	if err == nil && p.up == nil {
		err = remote.ErrIsDir
	}
	if err == nil {
		err = remote.Forward{Remote: p.up.Remote}.RemoveVersion(ctx, p.name, version)
	}
	return remote.Renamed("remove", name, err)
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	p, err := r.findNew(ctx, dir)
	if err == nil && p.up == nil {
		err = remote.ErrExist
	}
	if err == nil {
		err = p.up.Remote.Mkdir(ctx, p.name)
	}
	return remote.Renamed("mkdir", dir, err)
}

// Rmdir implements remote.Remote.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	p, err := r.find(ctx, dir)
	if err == nil && p.up == nil {
		err = remote.ErrPermission
	}
	if err == nil {
		err = p.up.Remote.Rmdir(ctx, p.name)
	}
	return remote.Renamed("rmdir", dir, err)
}
