package vfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"ferry/cache"
	"ferry/remote"
)

// openWaiting reads the content of a file that waits: to its end as an *os.File where the disk is a real one.
func (v *overlay) openWaiting(ctx context.Context, c *claim, off, n int64) (io.ReadCloser, error) {
	content, err := v.store.OpenContent(c.rec.ID)
	if err != nil {
		return nil, err
	}
	if n >= 0 {
		part := io.NewSectionReader(content, off, min(n, max(content.Size()-off, 0)))
		return &waitingReader{remote.ContextReader(ctx, part), content.Close}, nil
	}
	r, err := content.Reader(min(off, content.Size()))
	if err != nil {
		return nil, errors.Join(err, content.Close())
	}
	if f, ok := r.(*os.File); ok {
		return f, content.Close()
	}
	return &waitingReader{remote.ContextReader(ctx, r), func() error { return errors.Join(r.Close(), content.Close()) }}, nil
}

type waitingReader struct {
	io.Reader
	close func() error
}

func (r *waitingReader) Close() error { return r.close() }

// partEntry describes an unfinished upload as List and Part do.
func partEntry(p cache.PartInfo) remote.Entry {
	_, base := remote.Split(p.Name)
	return remote.Entry{Name: base, Size: p.Size, ModTime: p.ModTime, Part: p.Owner}
}

// showsRemoteParts reports whether the unfinished uploads that the remote keeps are those of this tree: only where
// uploads are passed through to it.
func (v *overlay) showsRemoteParts() bool { return v.mode == CacheMinimal && v.remoteKeepsParts() }

// Part implements remote.Stager.
func (v *overlay) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
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
func (v *overlay) DropPart(ctx context.Context, name, owner string) error {
	if err := v.checkPart(ctx, "droppart", name, owner); err != nil {
		return err
	}
	err := v.store.DropPart(name, owner)
	if errors.Is(err, fs.ErrNotExist) && v.showsRemoteParts() {
		return v.stager.DropPart(ctx, name, owner)
	}
	return pathError("droppart", name, err)
}

func (v *overlay) checkPart(ctx context.Context, op, name, owner string) error {
	if !remote.ValidOwner(owner) {
		return &fs.PathError{Op: op, Path: name, Err: remote.ErrInvalid}
	}
	return v.check(ctx, op, name)
}

// copyMoved lets the copy of a file that was renamed on the remote go with it. What cannot be moved is read anew.
func (v *overlay) copyMoved(from, to string) {
	if v.mode == CacheFull {
		_ = v.store.MoveCopy(from, to)
	}
}

// copyRemoved drops the copy of a file that is gone. One that stays only takes room: it is of no version that there will be.
func (v *overlay) copyRemoved(name string) {
	if v.mode == CacheFull {
		_ = v.store.Forget(name)
	}
}
