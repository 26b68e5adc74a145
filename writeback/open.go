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

// gone waits until c, whose content is gone, is not pending any more, and reports whether that
// happened.
func (v *Tree) gone(ctx context.Context, c *change) bool {
	v.mu.Lock()
	leaving := c.ending || c.dead || c.pinned != nil
	v.mu.Unlock()
	if !leaving {
		return false
	}
	select {
	case <-c.gone:
		return true
	case <-ctx.Done():
		return false
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

// partEntry describes an unfinished upload as List and Part do.
func partEntry(p cache.PartInfo) remote.Entry {
	_, base := remote.Split(p.Name)
	return remote.Entry{Name: base, Size: p.Size, ModTime: p.ModTime, Part: p.Owner}
}

// LocalParts returns the unfinished uploads in dir that are kept on the local disk, and whether the
// remote may have others.
func (v *Tree) LocalParts(dir string) (parts []remote.Entry, others bool) {
	for _, p := range v.store.PartsIn(dir) {
		parts = append(parts, partEntry(p))
	}
	return parts, v.showsRemoteParts()
}

// showsRemoteParts reports whether the remote's unfinished uploads belong to this tree: only if
// uploads are passed through to it.
func (v *Tree) showsRemoteParts() bool { return v.mode == Minimal && v.remoteKeepsParts() }

// Part implements remote.Stager.
func (v *Tree) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	if err := v.checkPart(ctx, "part", name, owner); err != nil {
		return remote.Entry{}, err
	}
	p, err := v.store.Part(name, owner)
	if errors.Is(err, fs.ErrNotExist) && v.showsRemoteParts() {
		return v.stager.Part(ctx, name, owner)
	}
	return partEntry(p), pathError("part", name, err)
}

// DropPart implements remote.Stager.
func (v *Tree) DropPart(ctx context.Context, name, owner string) error {
	if err := v.checkPart(ctx, "droppart", name, owner); err != nil {
		return err
	}
	err := v.store.DropPart(name, owner)
	if errors.Is(err, fs.ErrNotExist) && v.showsRemoteParts() {
		return v.stager.DropPart(ctx, name, owner)
	}
	return pathError("droppart", name, err)
}

func (v *Tree) checkPart(ctx context.Context, op, name, owner string) error {
	if !remote.ValidOwner(owner) {
		return &fs.PathError{Op: op, Path: name, Err: remote.ErrInvalid}
	}
	return v.check(ctx, op, name)
}

// copyMoved moves the cached copy of a file that an earlier attempt renamed on the remote. If that
// fails, the file is fetched again when it is read.
func (v *Tree) copyMoved(from, to string) {
	if v.mode == Full {
		_ = v.store.MoveCopy(from, to)
	}
}
