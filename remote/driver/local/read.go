package local

import (
	"context"
	"io"
	"iter"
	"os"
	"strings"

	"ferry/remote"
	"ferry/remote/driver/internal/staging"
	"ferry/remote/partname"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if err := check(ctx, "stat", name); err != nil {
		return remote.Entry{}, err
	}
	d, base, err := r.parent(name)
	if err != nil {
		return remote.Entry{}, fail("stat", name, err)
	}
	defer d.close()
	m, err := r.find(d, base, name)
	if err != nil {
		return remote.Entry{}, fail("stat", name, err)
	}
	return r.described(&m), nil
}

// List implements remote.Remote. It leaves out the Version. An error of the directory itself comes
// first, and one in the middle last.
func (r *Remote) List(ctx context.Context, name string) iter.Seq2[remote.Entry, error] {
	return remote.Entries(func(take func(remote.Entry) bool) error {
		if err := check(ctx, "list", name); err != nil {
			return err
		}
		d, err := r.tree.dir(name)
		if err != nil {
			return fail("list", name, err)
		}
		defer d.close()
		return fail("list", name, d.list(ctx, func(m *meta) bool {
			e, ok := r.listed(ctx, d, name, m)
			return !ok || take(e)
		}))
	})
}

// listed returns the entry that List yields for m, if it yields one.
func (r *Remote) listed(ctx context.Context, d dir, in string, m *meta) (remote.Entry, bool) {
	if !partname.Hidden(m.name) {
		return r.entry(m), true
	}
	return r.parts.Listed(ctx, &hiding{r: r, dir: d, path: in}, r.hidden(m))
}

// Open implements remote.Remote. Without a limit the reader is an *os.File, whose Read does not
// watch ctx.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := check(ctx, "open", name); err != nil {
		return nil, err
	}
	if off < 0 {
		return nil, fail("open", name, remote.ErrInvalid)
	}
	return r.read(ctx, "open", name, name, off, n)
}

// OpenPart implements remote.PartReader.
func (r *Remote) OpenPart(ctx context.Context, name, owner string, off, n int64) (f io.ReadCloser, err error) {
	if off < 0 {
		return nil, fail("openpart", name, remote.ErrInvalid)
	}
	err = r.parts.Kept(ctx, name, owner, func(d staging.Dir, part string) error {
		f, err = r.read(ctx, "openpart", name, remote.Join(d.Path(), part), off, n)
		return err
	})
	return f, err
}

// read opens the file at path, which is called name.
func (r *Remote) read(ctx context.Context, op, name, path string, off, n int64) (io.ReadCloser, error) {
	f, m, err := r.tree.openFile(path)
	switch {
	case err != nil:
		return nil, fail(op, name, err)
	case m.kind == directory:
		return nil, fail(op, name, remote.ErrIsDir)
	case f == nil:
		return nil, fail(op, name, remote.ErrPermission)
	}
	if off > 0 {
		_, err := f.Seek(off, io.SeekStart)
		if err != nil && off >= m.size { // further than any file of this file system can be long
			return &section{strings.NewReader(""), f}, nil
		}
		if err != nil {
			f.Close()
			return nil, fail(op, name, err)
		}
	}
	if n < 0 {
		return f, nil
	}
	return &section{remote.ContextReader(ctx, io.LimitReader(f, n)), f}, nil
}

// A section reads part of a file.
type section struct {
	io.Reader
	f *os.File
}

func (s *section) Close() error { return s.f.Close() }
