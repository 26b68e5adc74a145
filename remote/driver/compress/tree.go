package compress

import (
	"context"
	"errors"
	"iter"

	"ferry/remote"
)

// A file is what a name is.
type file struct {
	entry   remote.Entry
	side    sidecar
	content string // its name below
}

// find returns what name is.
func (r *Remote) find(ctx context.Context, name string) (file, error) {
	if !remote.ValidPath(name) {
		return file{}, remote.ErrInvalid
	}
	if name != "." {
		f, err := r.look(ctx, name)
		if err == nil || !errors.Is(err, remote.ErrNotExist) {
			return f, err
		}
	}
	e, err := r.below.Stat(ctx, name)
	if err == nil && !e.Dir {
		err = remote.ErrNotExist // one of the two that make a file
	}
	return file{entry: e}, err
}

// look reads the sidecar of name.
func (r *Remote) look(ctx context.Context, name string) (file, error) {
	body, err := r.below.Open(ctx, name+sidecarSuffix, 0, -1)
	if errors.Is(err, remote.ErrIsDir) {
		err = remote.ErrNotExist
	}
	if err != nil {
		return file{}, err
	}
	defer body.Close()
	side, err := readSidecar(body)
	if err != nil {
		return file{}, err
	}
	dir, base := remote.Split(name)
	f := file{side: side, content: remote.Join(dir, contentName(base, side))}
	if f.entry, err = r.below.Stat(ctx, f.content); err != nil {
		return file{}, err
	}
	f.entry.Mode = 0
	f.entry.Name, f.entry.Size, f.entry.Digest = base, side.Size, remote.NewDigest(remote.MD5, side.sum())
	return f, nil
}

// Stat implements remote.Remote. It reads what says how a file is compressed.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	f, err := r.find(ctx, name)
	if err != nil {
		return remote.Entry{}, remote.Renamed("stat", name, err)
	}
	return f.entry, nil
}

// List implements remote.Remote. What belongs to no file is omitted and reported.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		if f, err := r.find(ctx, dir); err == nil && !f.entry.Dir {
			yield(remote.Entry{}, remote.Renamed("list", dir, remote.ErrNotDir))
			return
		}
		for e, err := range r.below.List(ctx, dir) {
			if err != nil {
				yield(remote.Entry{}, remote.Renamed("list", dir, err))
				return
			}
			if e.Part != "" {
				continue // nobody can continue it here
			}
			base, size, ok := parseContent(e.Name)
			switch {
			case e.Dir:
			case !ok:
				if plainName(e.Name) == e.Name {
					remote.Omitted(ctx, e.Name, "it is no file of the compress type")
				}
				continue
			default:
				e.Name, e.Digest, e.Mode = base, "", 0
				if size >= 0 {
					e.Size = size
				}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}
