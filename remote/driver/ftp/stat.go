package ftp

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/jlaffaye/ftp"

	"ferry/remote"
)

// Stat implements remote.Remote: by MLST, and without that by SIZE, MDTM and CWD.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	var e remote.Entry
	err := r.with(ctx, "stat", name, func(s *session) error {
		return s.ask(ctx, func() (err error) {
			e, err = r.look(s, name)
			return err
		})
	})
	if err != nil {
		return remote.Entry{}, err
	}
	return e, nil
}

// look describes what the server has as name.
func (r *Remote) look(s *session, name string) (remote.Entry, error) {
	e, err := s.stat(r.path(s, name))
	_, e.Name = remote.Split(name)
	return e, err
}

// noParent says why nothing can be made under name: the directory above is not there, or is a file.
// It is nil where that is not the reason.
func (r *Remote) noParent(s *session, name string) error {
	dir, _ := remote.Split(name)
	if dir == "." {
		return nil
	}
	e, err := r.look(s, dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return remote.ErrNotExist
	case err == nil && !e.Dir:
		return remote.ErrNotDir
	}
	return nil
}

// missing reports whether name is not there.
func (r *Remote) missing(s *session, name string) bool {
	_, err := r.look(s, name)
	return errors.Is(err, fs.ErrNotExist)
}

// stat describes what is at p, without its name.
func (s *session) stat(p string) (remote.Entry, error) {
	if s.mlst {
		found, err := s.c.GetEntry(p)
		if err != nil {
			return remote.Entry{}, notThere(err)
		}
		e := remote.Entry{Size: int64(found.Size), ModTime: found.Time, Dir: found.Type == ftp.EntryTypeFolder}
		if e.Dir {
			e.Size = 0
		}
		return e, nil
	}
	size, err := s.c.FileSize(p)
	if err != nil && !refused(err) {
		return remote.Entry{}, err
	}
	if err != nil {
		if err := s.c.ChangeDir(p); err != nil {
			return remote.Entry{}, notThere(err)
		}
		return remote.Entry{Dir: true}, nil // MDTM is for files
	}
	e := remote.Entry{Size: size}
	if s.c.IsGetTimeSupported() {
		t, err := s.c.GetTime(p)
		if err != nil {
			return remote.Entry{}, notThere(err)
		}
		e.ModTime = asListed(t, time.Now())
	}
	return e, nil
}

// notThere takes a refusal to describe something for its absence.
func notThere(err error) error {
	if refused(err) {
		return remote.ErrNotExist
	}
	return err
}
