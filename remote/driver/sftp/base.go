package sftp

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"golang.org/x/crypto/ssh"

	"ferry/remote"
	"ferry/remote/partname"
)

// onFile makes the hidden file begin with the first off bytes of the published one, and returns how
// many that are.
func (s *stage) onFile(ctx context.Context, old *meta, off int64) (int64, error) {
	if old == nil {
		return 0, remote.ErrNotExist
	}
	off, err := offset(off, old.size)
	if err != nil {
		return 0, err
	}
	if err := s.r.createPart(ctx, s.c, s); err != nil {
		return 0, err
	}
	err = s.copyHead(ctx, off)
	if err != nil {
		return 0, errors.Join(err, s.abandon())
	}
	return off, nil
}

// onPart makes the hidden file that Keep left the one to write to, cut off at off.
func (s *stage) onPart(ctx context.Context, o remote.StageOptions) (int64, error) {
	off, err := s.takePart(ctx, o)
	if err != nil {
		return 0, err
	}
	p := s.r.partPath(s.in, s.part)
	if err := s.reopen(ctx, p, off); err != nil {
		_ = s.r.keep(ctx, s.c, s.in, p, partname.Name{Owner: o.PartOwner(), Base: s.held})
		s.r.uploads.release(s)
		return 0, err
	}
	return off, nil
}

// takePart moves the kept file into a slot of its own. It returns the offset in bytes.
func (s *stage) takePart(ctx context.Context, o remote.StageOptions) (int64, error) {
	s.r.kept.Lock()
	defer s.r.kept.Unlock()
	m, p, err := s.r.keptPart(ctx, s.c, s.in, s.held, o.PartOwner())
	if err != nil {
		return 0, err
	}
	off, err := o.PartOffset(m.size)
	if err != nil {
		return 0, err
	}
	return off, s.r.takeSlot(s, func(int) error {
		slot := s.r.partPath(s.in, s.part)
		err := do(ctx, s.c, func() error { return s.c.sftp.Rename(p, slot) })
		if unexplained(err) {
			if _, statErr := lstat(ctx, s.c, slot); statErr == nil {
				return remote.ErrExist
			}
		}
		return err
	})
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

// copyHead copies the first n bytes of the published file into the hidden one: inside the server
// where it can.
func (s *stage) copyHead(ctx context.Context, n int64) error {
	if n == 0 {
		return nil
	}
	err := s.r.copyInside(ctx, s.c, s.r.path(s.name), s.r.partPath(s.in, s.part), n)
	if !errors.Is(err, remote.ErrUnsupported) {
		return err
	}
	src, err := s.r.Open(ctx, s.name, 0, n)
	if err != nil {
		return err
	}
	defer src.Close()
	s.w = s.writerAt(0)
	k, err := io.Copy(s.w, src)
	if err == nil && k < n {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = s.w.drain(ctx)
	}
	return err
}

// Flags of SSH_FXP_OPEN (draft-ietf-secsh-filexfer-02 section 6.3).
const (
	openRead  = 1 << 0
	openWrite = 1 << 1
)

// copyInside has the server copy the first n bytes of the file from to the beginning of the file
// to, or answers ErrUnsupported where it cannot.
func (r *Remote) copyInside(ctx context.Context, c *conn, from, to string, n int64) error {
	return do(ctx, c, func() error {
		ch, err := c.rawChannel()
		var refused *ssh.OpenChannelError
		if errors.As(err, &refused) {
			return remote.ErrUnsupported
		}
		if err != nil {
			return err
		}
		if !ch.has[copyData] {
			return remote.ErrUnsupported
		}
		src, err := ch.open(typeOpen, openRequest(from, openRead))
		if err != nil {
			return err
		}
		defer ch.close(src)
		dst, err := ch.open(typeOpen, openRequest(to, openWrite))
		if err != nil {
			return err
		}
		err = ch.copy(ctx, src, dst, n)
		return errors.Join(err, ch.close(dst))
	})
}

// copy copies in pieces, so that other calls get their turn.
func (r *raw) copy(ctx context.Context, src, dst string, n int64) error {
	const piece = 64 << 20
	for at := int64(0); at < n; at += piece {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b := appendString(appendString(nil, copyData), src)
		b = binary.BigEndian.AppendUint64(b, uint64(at))
		b = binary.BigEndian.AppendUint64(b, uint64(min(piece, n-at)))
		b = binary.BigEndian.AppendUint64(appendString(b, dst), uint64(at))
		if err := r.simple(typeExtended, b); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

func openRequest(p string, flags uint32) []byte {
	b := binary.BigEndian.AppendUint32(appendString(nil, p), flags)
	return binary.BigEndian.AppendUint32(b, 0) // no attributes
}

// Copy implements remote.Copier, where the server can copy.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	if err := r.check(ctx, "copy", from); err != nil {
		return err
	}
	return r.with(ctx, "copy", to, func(c *conn) error {
		m, err := r.find(ctx, c, from)
		switch {
		case err != nil:
			return fail("copy", from, err)
		case m.mode.IsDir():
			return fail("copy", from, remote.ErrIsDir)
		}
		s, err := r.begin(ctx, to, remote.StageOptions{Owner: partname.PutOwner})
		if err != nil {
			return err
		}
		defer s.Abort() // which does nothing after Commit
		if err := r.copyInside(ctx, c, r.path(from), r.partPath(s.in, s.part), m.size); err != nil {
			return err
		}
		_, err = s.Commit(ctx, m.modTime)
		return err
	})
}
