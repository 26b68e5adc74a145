package ftp

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// setModTime sets the modification time of a file. It returns the zero reply on success.
func (s *session) setModTime(ctx context.Context, arg string, t time.Time) reply {
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	m, can := s.fs.(ModTimer)
	if !can {
		return refused("The storage cannot set modification times.")
	}
	if r := s.reported(); r != nil {
		r.ModTime = t
	}
	if err := m.SetModTime(ctx, name, t); err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			s.done.told, s.done.timeless = s.done.timeless, true
		}
		return s.fail("setting the time", name, err)
	}
	return reply{}
}

// mfmt sets the modification time (draft-somers-ftp-mfxx, section 3.1).
func (s *session) mfmt(ctx context.Context, arg string) reply {
	t, path, isSet := splitMDTM(arg)
	if !isSet {
		return badArgument("Usage: MFMT YYYYMMDDHHMMSS <file>")
	}
	if r := s.setModTime(ctx, path, t); !r.isZero() {
		return r
	}
	return reply{213, "Modify=" + string(appendTime(nil, t)) + "; " + path}
}

// site runs the subcommands of SITE.
func (s *session) site(ctx context.Context, arg string) reply {
	verb, rest, _ := strings.Cut(arg, " ")
	c := s.srv.sites.byName[strings.ToUpper(verb)]
	if c == nil {
		return notSupported("Unknown; SITE HELP lists what there is.")
	}
	s.seeSite(c, rest)
	if r := c.refusal(s, rest); !r.isZero() {
		return r
	}
	return c.run(s, ctx, rest)
}

func (s *session) siteHelp(context.Context, string) reply {
	s.tell(reply{214, "SITE"})
	s.writeHelp("SITE", s.srv.sites)
	return reply{}
}

func (s *session) siteChmod(ctx context.Context, arg string) reply {
	perm, path, err := parseChmod(arg)
	if err != nil {
		return badArgument("Usage: SITE CHMOD <octal mode> <path>")
	}
	name, r := s.path(ctx, path)
	if !r.isZero() {
		return r
	}
	m, can := s.fs.(Moder)
	if !can {
		return noModes("The storage keeps no permission bits.")
	}
	if r := s.reported(); r != nil {
		r.Mode = perm
	}
	if err := m.SetMode(ctx, name, perm); err != nil {
		r := s.fail("SITE CHMOD", name, err)
		if errors.Is(err, errors.ErrUnsupported) {
			r = noModes(r.text)
		}
		return r
	}
	return ok("Mode changed.")
}

// noModes is the reply of a storage without permission bits. It is 502, and no refusal of one file:
// clients that send SITE CHMOD behind each upload, such as lftp, stop at that.
func noModes(text string) reply { return reply{502, text} }

func (s *session) siteUtime(ctx context.Context, arg string) reply {
	t, path, err := parseUtime(arg)
	if err != nil {
		return badArgument("Usage: SITE UTIME YYYYMMDDhhmmss <path>")
	}
	if r := s.setModTime(ctx, path, t); !r.isZero() {
		return r
	}
	return ok("Time changed.")
}

// avbl returns how many bytes can still be stored.
func (s *session) avbl(ctx context.Context, arg string) reply {
	name, r := s.path(ctx, arg)
	if !r.isZero() {
		return r
	}
	sp, can := s.fs.(Spacer)
	if !can {
		return refused("The storage does not know its free space.")
	}
	free, err := sp.Free(ctx, name)
	switch {
	case err != nil:
		return s.fail("AVBL", name, err)
	case free < 0:
		return refused("The storage does not know its free space.")
	}
	return reply{213, strconv.FormatInt(free, 10)}
}
