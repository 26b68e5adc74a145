package ftp

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"time"

	"ferry/remote"
)

// List implements remote.Remote.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return remote.Entries(func(take func(remote.Entry) bool) error {
		return r.with(ctx, "list", dir, func(s *session) error {
			var old []string
			more := true
			use := func(e remote.Entry) bool {
				if ctx.Err() != nil {
					return false
				}
				if isPart(e.Name) {
					if r.leftOver(s, dir, e) && len(old) < maxLeftOver {
						old = append(old, e.Name)
					}
					return true
				}
				if e, ok := r.decoded(ctx, e); ok {
					more = take(e)
				}
				return more
			}
			err := s.ask(ctx, func() error {
				return r.each(s, dir, use, func(line string) { remote.Omitted(ctx, line, remote.OmittedLine) })
			})
			if ctx.Err() != nil && err == nil {
				err = context.Cause(ctx)
			}
			if err == nil && more {
				r.removeAll(s, dir, old)
			}
			return err
		})
	})
}

// decoded gives an entry the name that it has here. One that has none here is not ok, and reported.
func (r *Remote) decoded(ctx context.Context, e remote.Entry) (remote.Entry, bool) {
	held := e.Name
	name, omitted := remote.ReadName(r.o.Encoding, held)
	if omitted != "" {
		remote.Omitted(ctx, held, omitted)
		return e, false
	}
	e.Name = name
	return e, true
}

// each calls use for every entry of dir, by the name that it has on the server, until that returns
// false, and omit for every line that is not understood.
func (r *Remote) each(s *session, dir string, use func(e remote.Entry) bool, omit func(line string)) error {
	// In the directory itself: servers take what follows LIST for options, or for a pattern.
	if err := s.c.ChangeDir(r.path(s, dir)); err != nil {
		if !refused(err) {
			return err
		}
		if _, err := r.look(s, dir); err != nil {
			return err
		}
		return remote.ErrNotDir
	}
	l := &answer{mlst: s.mlst, now: time.Now(), omit: omit}
	stopped, bound := false, r.o.Network.Listing()
	var endless error
	s.onLine = func(line string, whole bool) bool {
		if endless = bound.Entries(1); endless != nil {
			s.abort()
			return false
		}
		e, ok := l.read(line, whole)
		if !ok || e.Name == "." || e.Name == ".." {
			return true
		}
		if stopped = !use(e); stopped {
			s.abort() // what the server says to that is not worth waiting for
		}
		return !stopped
	}
	defer func() { s.onLine = nil }()
	err := s.list()
	switch {
	case endless != nil:
		return endless
	case stopped:
		return nil
	case refused(err) && !l.understood: // some have no other answer for an empty directory
		return l.malformed()
	case err == nil:
		return l.malformed()
	}
	return err
}

// list lists the current directory, with the files whose names begin with a full stop.
func (s *session) list() error {
	if s.mlst || s.plainList {
		_, err := s.c.List("")
		return err
	}
	_, err := s.c.List("-a")
	if !refused(err) && !errors.Is(translate(err), remote.ErrUnsupported) {
		return err
	}
	s.plainList = true
	_, err = s.c.List("")
	return err
}

// maxLeftOver is how many files one listing removes.
const maxLeftOver = 100

// leftOver reports whether the hidden file e in dir is one that nobody will rename any more.
func (r *Remote) leftOver(s *session, dir string, e remote.Entry) bool {
	return !e.Dir && r.o.PartMaxAge > 0 && !e.ModTime.IsZero() &&
		r.ages.Exceed(e.ModTime, r.o.PartMaxAge) && !r.writing(r.partPath(s, dir, e.Name))
}

// removeAll removes hidden files of dir. Whoever comes across one that stays tries again.
func (r *Remote) removeAll(s *session, dir string, parts []string) {
	for _, part := range parts {
		_ = s.c.Delete(r.partPath(s, dir, part))
	}
}

// removeParts removes the hidden files of dir, provided that they are all it holds and that none is
// being written.
func (r *Remote) removeParts(s *session, dir string) error {
	full := false
	var parts []string
	err := r.each(s, dir, func(e remote.Entry) bool {
		if !isPart(e.Name) || e.Dir || r.writing(r.partPath(s, dir, e.Name)) {
			full = true
			return false
		}
		parts = append(parts, e.Name)
		return true
	}, func(string) { full = true })
	switch {
	case err != nil:
		return err
	case full:
		return remote.ErrNotEmpty
	case len(parts) == 0:
		return fs.ErrPermission
	}
	r.removeAll(s, dir, parts)
	return nil
}
