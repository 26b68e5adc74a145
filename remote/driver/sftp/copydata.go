package sftp

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"golang.org/x/crypto/ssh"

	"ferry/remote"

	"ferry/remote/driver/internal/conns"
)

// Flags of SSH_FXP_OPEN (draft-ietf-secsh-filexfer-02 section 6.3).
const (
	openRead  = 1 << 0
	openWrite = 1 << 1
)

// copyInside has the server copy the first n bytes of the file from to the beginning of the file
// to, or answers ErrUnsupported where it cannot.
func (r *Remote) copyInside(ctx context.Context, c *conn, from, to string, n int64) error {
	return conns.Do(ctx, c, func() error {
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
