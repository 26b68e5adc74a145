package ftp

import (
	"errors"
	"fmt"
	"io"
	"net/textproto"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
)

// fail wraps err as every error of a remote is, unless it is nil.
func fail(op, name string, err error) error {
	return remote.FailOnce(op, name, err, translate)
}

// translate turns a reply (RFC 959 section 4.2) into a sentinel of package remote. What begins with
// 4 is transient and stays as it is, except for the lack of space. A refusal without a reason is
// taken for a lack of permission, where nobody has found out better.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return conns.ErrLost
	}
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return err
	}
	switch reply.Code {
	case 452, 552:
		return fmt.Errorf("%w: %w", remote.ErrNoSpace, err)
	case 500, 502, 504:
		return fmt.Errorf("%w: %w", remote.ErrUnsupported, err)
	case 501, 530, 532, 534, 550, 554:
		return fmt.Errorf("%w: %w", remote.ErrPermission, err)
	case 553: // servers give it for a lack of permission too
		return remote.MayPass(fmt.Errorf("%w: %w", remote.ErrBadName, err))
	}
	return err
}

// refused reports whether the server has refused something without a reason. Whoever knows what was
// asked for finds out.
func refused(err error) bool {
	var reply *textproto.Error
	return errors.As(err, &reply) && (reply.Code == 501 || reply.Code == 550 || reply.Code == 553 || reply.Code == 554)
}

// answered reports whether err is any reply, so that the session goes on.
func answered(err error) bool {
	var reply *textproto.Error
	return errors.As(err, &reply) && reply.Code != 421
}

// lost reports whether a call that asks something has failed because the server has ended the
// session.
func lost(err error) bool {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return reply.Code == 421
	}
	return conns.Broken(err)
}

// exists reports whether the reply is 521, which some servers give when a directory is to be made
// that exists (RFC 1123 section 4.1.2.12 knows it from RFC 959 appendix II).
func exists(err error) bool {
	var reply *textproto.Error
	return errors.As(err, &reply) && reply.Code == 521
}
