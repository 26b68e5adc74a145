package ftp

import (
	"context"
	"strconv"
)

// size returns the number of bytes that RETR would send (RFC 3659, section 4). If TYPE A converts
// line ends, it is unknown without reading the file, and refused.
func (s *session) size(ctx context.Context, arg string) reply {
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	if s.ascii && s.srv.ConvertASCII {
		return refused("SIZE needs TYPE I here: in TYPE A line ends are converted.")
	}
	stat := s.fs.Stat
	if sizer, ok := s.fs.(Sizer); ok {
		stat = sizer.StatSize
	}
	fi, err := stat(ctx, name)
	switch {
	case err != nil:
		return s.fail("SIZE", name, err)
	case fi.IsDir():
		return s.fail("SIZE", name, ErrIsDir)
	case fi.Size() < 0:
		return refused("The storage does not know the size.")
	}
	return reply{213, strconv.FormatInt(fi.Size(), 10)}
}

// mdtm returns the modification time, or sets it if the argument is a time and a name, and no file
// has that whole name (RFC 3659, section 3; the second form is from clients older than MFMT).
func (s *session) mdtm(ctx context.Context, arg string) reply {
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	fi, err := s.fs.Stat(ctx, name)
	if err == nil {
		if !hasTimeval(fi.ModTime()) {
			return refused("The storage does not know the time.")
		}
		return reply{213, string(appendTime(nil, fi.ModTime()))}
	}
	t, path, isSet := splitMDTM(arg)
	if !isSet || !isAbsent(err) {
		return s.fail("MDTM", name, err)
	}
	if r := s.setModTime(ctx, path, t); !r.isZero() {
		return r
	}
	return reply{213, "Modify=" + string(appendTime(nil, t)) + "; " + path}
}
