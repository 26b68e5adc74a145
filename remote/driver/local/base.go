package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"ferry/remote"
	"ferry/remote/partname"
)

// onFile makes the hidden file begin with the first off bytes of the published one.
func (s *stage) onFile(ctx context.Context, off int64, perm fs.FileMode) error {
	src, m, err := s.r.tree.openFile(s.name)
	if err != nil {
		return err
	}
	if src == nil { // target saw a regular file, but that has changed
		return remote.ErrPermission
	}
	defer src.Close()
	return s.onCopy(ctx, src, m.size, off, perm)
}

// onPart makes the hidden file that Keep left the one to write to, cut off at off.
func (s *stage) onPart(ctx context.Context, o remote.StageOptions, perm fs.FileMode) error {
	off, linked, err := s.takePart(o)
	part := partname.Name{Owner: o.PartOwner(), Base: s.base}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.r.removeExpired(s.dir, s.in, part.String())
		return err
	case err != nil:
		return err
	case linked:
		return s.onLinkedPart(ctx, part.String(), off, perm)
	}
	if err := s.reopen(off); err != nil {
		_ = s.r.keep(s.dir, s.part, part)
		s.r.uploads.release(s)
		return err
	}
	s.size.Store(off)
	return nil
}

// takePart moves the kept file into a slot of its own, unless it has other names too. It returns
// the offset in bytes.
func (s *stage) takePart(o remote.StageOptions) (off int64, linked bool, err error) {
	s.r.kept.Lock()
	defer s.r.kept.Unlock()
	m, part, err := s.r.keptPart(s.dir, s.in, s.base, o.PartOwner())
	if err != nil {
		return 0, false, err
	}
	if off, err = o.PartOffset(m.size); err != nil || m.links > 1 {
		return off, m.links > 1, err
	}
	return off, false, s.r.takeSlot(s, func(_ int, slot string) error { return s.dir.rename(part, s.dir, slot, false) })
}

func (s *stage) reopen(off int64) error {
	f, err := s.dir.reopen(s.part)
	if err != nil {
		return err
	}
	if err = f.Truncate(off); err == nil {
		_, err = f.Seek(off, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return err
	}
	s.file = f
	return nil
}

// onLinkedPart is onPart where the kept file has other names too: what is written must not show
// under those.
func (s *stage) onLinkedPart(ctx context.Context, part string, off int64, perm fs.FileMode) error {
	src, err := s.dir.reopen(part)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := s.onCopy(ctx, src, off, off, perm); err != nil {
		return err
	}
	return s.dir.remove(part)
}

// onCopy makes the hidden file begin with the first off bytes of src, which has size.
func (s *stage) onCopy(ctx context.Context, src *os.File, size, off int64, perm fs.FileMode) error {
	off, err := offset(off, size)
	if err != nil {
		return err
	}
	if err := s.r.createPart(s, perm); err != nil {
		return err
	}
	if err := copyHead(ctx, s.file, src, off); err != nil {
		_ = s.abandon()
		return err
	}
	s.size.Store(off)
	return nil
}

// offset checks off against the size of the base and resolves AtEnd.
func offset(off, size int64) (int64, error) {
	switch {
	case off == remote.AtEnd:
		return size, nil
	case off > size:
		return 0, remote.ErrInvalid
	}
	return off, nil
}

// copyHead copies n bytes, by a reflink or inside the kernel where the file system can. It looks at
// ctx between pieces.
func copyHead(ctx context.Context, dst, src *os.File, n int64) error {
	const piece = 64 << 20
	for n > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		k, err := dst.ReadFrom(io.LimitReader(src, min(n, piece)))
		if err != nil {
			return err
		}
		if k == 0 {
			return io.ErrUnexpectedEOF
		}
		n -= k
	}
	return nil
}
