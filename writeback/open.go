package writeback

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"ferry/cache"
	"ferry/remote"
)

// Open implements remote.Remote. A pending file is read from the local disk.
func (v *Tree) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := v.check(ctx, "open", name); err != nil {
		return nil, err
	}
	for {
		st, c := v.look(name)
		var err error
		switch st {
		case unknown:
			return v.remote.Open(ctx, name, off, n)
		case isDir:
			err = remote.ErrIsDir
		case isDeleted:
			err = remote.ErrNotExist
		case underFile:
			err = remote.ErrNotDir
		case isFile:
			var r io.ReadCloser
			if r, err = v.openPending(ctx, c, off, n); err == nil {
				return r, nil
			}
			if errors.Is(err, fs.ErrNotExist) && v.gone(ctx, c) {
				continue
			}
		case isMoved:
			var r io.ReadCloser
			if r, err = v.openMoved(ctx, c, off, n); err == nil {
				return r, nil
			}
			if errors.Is(err, fs.ErrNotExist) && v.gone(ctx, c) {
				continue
			}
		}
		return nil, pathError("open", name, err)
	}
}

// openPending opens the content of a pending file.
func (v *Tree) openPending(ctx context.Context, c *change, off, n int64) (io.ReadCloser, error) {
	content, err := v.openContent(c)
	if err != nil {
		return nil, err
	}
	off = min(off, content.Size())
	left := content.Size() - off
	if n >= 0 {
		left = min(left, n)
	}
	file, err := content.Reader(off)
	if err != nil {
		return nil, errors.Join(err, content.Close())
	}
	return &pendingReader{ended: func() error { return context.Cause(ctx) }, content: content, file: file, left: left}, nil
}

// openMoved opens the content of a file with a pending rename: until that is applied, the file is
// read under its current name on the remote. Under a name that an unanswered rename may have given
// it, neither remembered entries nor copies count: they are of the file that was there before.
func (v *Tree) openMoved(ctx context.Context, c *change, off, n int64) (r io.ReadCloser, err error) {
	below := v.remote
	for _, name := range v.remoteNames(c) {
		r, err = below.Open(ctx, name, off, n)
		if !errors.Is(err, remote.ErrNotExist) {
			return r, err
		}
		below = v.names.Direct()
	}
	return nil, err
}

// remoteNames returns the names under which the remote may have the file of the pending rename c,
// the most likely first.
func (v *Tree) remoteNames(c *change) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if c.sent {
		return []string{c.rec.Name}
	}
	var names []string
	if c.begun {
		names = append(names, c.rec.Name)
	}
	for ; ; c = c.from {
		names = append([]string{c.rec.Source}, names...)
		if c.from == nil || c.from.dead || c.from.sent {
			return names
		}
		if !c.from.begun {
			names = names[1:] // it is not on the remote yet
		}
	}
}

// A pendingReader reads the content of a pending file. It keeps the content open: open content is
// not evicted when the file has become a copy of the remote's.
type pendingReader struct {
	ended   func() error // cause of the end of Open's context; nil = it has not ended
	content *cache.Content
	file    io.ReadCloser // an *os.File on a real disk
	left    int64
}

func (r *pendingReader) Read(p []byte) (int, error) {
	if err := r.ended(); err != nil {
		return 0, err
	}
	l := io.LimitedReader{R: r.file, N: r.left}
	n, err := l.Read(p)
	r.left = l.N
	if err == io.EOF && r.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// WriteTo implements io.WriterTo: a connection receives an *os.File, which it sends without
// copying.
func (r *pendingReader) WriteTo(w io.Writer) (int64, error) {
	if err := r.ended(); err != nil {
		return 0, err
	}
	l := &io.LimitedReader{R: r.file, N: r.left}
	n, err := io.Copy(w, l)
	r.left = l.N
	if err == nil && r.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (r *pendingReader) Close() error { return errors.Join(r.file.Close(), r.content.Close()) }
