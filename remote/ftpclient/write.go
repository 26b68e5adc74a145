package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"ferry/remote"
)

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	var e remote.Entry
	err := r.with(ctx, "put", name, func(s *session) error {
		old, err := r.look(s, name)
		switch {
		case err == nil && old.Dir:
			return remote.ErrIsDir
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		}
		part, release := r.newPart(s, name)
		defer release()
		e, err = r.store(ctx, s, name, part, body, o)
		if err != nil {
			r.discard(s, part)
		}
		return err
	})
	if err != nil {
		return remote.Entry{}, err
	}
	return e, nil
}

// store stores body as the hidden file part and renames it to name.
func (r *Remote) store(ctx context.Context, s *session, name, part string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	counted := &countedReader{r: remote.ContextReader(ctx, body)}
	if err := s.c.Stor(part, counted); err != nil {
		if counted.err == nil && refused(err) && counted.n == 0 {
			if dir, _ := remote.Split(name); r.missing(s, dir) {
				return remote.Entry{}, remote.ErrNotExist
			}
		}
		if counted.err != nil {
			return remote.Entry{}, counted.err
		}
		return remote.Entry{}, err
	}
	if err := remote.CheckSize(counted.n, o.Size); err != nil {
		return remote.Entry{}, err
	}
	if !r.o.NoCheckUpload {
		if err := s.checkSize(part, counted.n); err != nil {
			return remote.Entry{}, err
		}
	}
	e := remote.Entry{Size: counted.n}
	_, e.Name = remote.Split(name)
	if !o.ModTime.IsZero() && s.c.IsSetTimeSupported() {
		if err := s.c.SetTime(part, o.ModTime); err != nil {
			return remote.Entry{}, err
		}
		e.ModTime = o.ModTime.Truncate(time.Second)
	}
	if ctx.Err() != nil {
		return remote.Entry{}, context.Cause(ctx)
	}
	return e, r.replace(s, part, name)
}

// checkSize compares the size of a file with what was sent. A data connection that was cut ends like one that was not
// (RFC 959 section 3.4.1).
func (s *session) checkSize(p string, sent int64) error {
	size, err := s.c.FileSize(p)
	switch {
	case errors.Is(translate(err), remote.ErrUnsupported):
		return nil
	case err != nil:
		return err
	case size != sent:
		return fmt.Errorf("%w: of %d bytes sent the server has %d", io.ErrUnexpectedEOF, sent, size)
	}
	return nil
}

// replace renames the file at from to name, over an old one. Where the server refuses that, the old one is set aside
// meanwhile.
func (r *Remote) replace(s *session, from, name string) error {
	to := r.path(s, name)
	err := s.c.Rename(from, to)
	if !answered(err) { // RNTO fails with any code
		return err
	}
	dir, _ := remote.Split(name)
	old, lookErr := r.look(s, name)
	switch {
	case lookErr == nil && old.Dir:
		return remote.ErrIsDir
	case lookErr == nil:
	case errors.Is(lookErr, fs.ErrNotExist) && dir != "." && r.missing(s, dir):
		return remote.ErrNotExist
	default:
		return err
	}
	aside, release := r.newPart(s, name)
	defer release()
	if s.c.Rename(to, aside) != nil {
		return err
	}
	if err := s.c.Rename(from, to); err != nil {
		return errors.Join(err, s.c.Rename(aside, to))
	}
	_ = s.c.Delete(aside) // List removes what stays
	return nil
}

// discard removes a hidden file, over another session when its own is lost. What stays is removed by List.
func (r *Remote) discard(s *session, part string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s.broken() {
		other, err := r.pool.dial(ctx) // not from the pool, where there may be room for one only
		if err != nil {
			return
		}
		defer other.quit()
		s = other
	}
	_ = s.during(ctx, func() error { return s.c.Delete(part) })
}

// A countedReader remembers what it has read.
type countedReader struct {
	r   io.Reader
	n   int64
	err error // other than io.EOF
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	return r.with(ctx, "remove", name, func(s *session) error {
		if name == "." {
			return remote.ErrIsDir
		}
		err := s.c.Delete(r.path(s, name))
		if !refused(err) {
			return err
		}
		e, lookErr := r.look(s, name)
		switch {
		case lookErr != nil:
			return lookErr
		case e.Dir:
			return remote.ErrIsDir
		}
		return err
	})
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	return r.with(ctx, "mkdir", dir, func(s *session) error {
		if dir == "." {
			return remote.ErrExist
		}
		err := s.c.MakeDir(r.path(s, dir))
		if err == nil || !refused(err) && !exists(err) {
			return err
		}
		if !r.missing(s, dir) {
			return remote.ErrExist
		}
		if parent, _ := remote.Split(dir); r.missing(s, parent) {
			return remote.ErrNotExist
		}
		return err
	})
}

// Rmdir implements remote.Remote. A directory that holds nothing but what killed uploads left looks empty, and is
// removed with it.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	return r.with(ctx, "rmdir", dir, func(s *session) error {
		if dir == "." {
			return remote.ErrPermission
		}
		p := r.path(s, dir)
		err := s.c.RemoveDir(p)
		if !refused(err) {
			return err
		}
		e, lookErr := r.look(s, dir)
		switch {
		case lookErr != nil:
			return lookErr
		case !e.Dir:
			return remote.ErrNotDir
		}
		if err := r.removeParts(s, dir); err != nil {
			return err
		}
		return s.c.RemoveDir(p)
	})
}

// Move implements remote.Mover.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	if err := r.check(ctx, "move", to); err != nil {
		return err
	}
	return r.with(ctx, "move", from, func(s *session) error { return r.move(s, from, to) })
}

func (r *Remote) move(s *session, from, to string) error {
	e, err := r.look(s, from)
	switch {
	case err != nil:
		return err
	case from == to:
		return nil
	case remote.Below(to, from):
		return remote.ErrInvalid
	}
	old, err := r.look(s, to)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && e.Dir:
		return remote.ErrExist
	case err == nil && old.Dir:
		return remote.ErrIsDir
	}
	return r.replace(s, r.path(s, from), to)
}

// SetModTime implements remote.ModTimer, where the server has MFMT, or MDTM for writing.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	return r.with(ctx, "setmodtime", name, func(s *session) error {
		if !s.c.IsSetTimeSupported() {
			return remote.ErrUnsupported
		}
		err := s.c.SetTime(r.path(s, name), t)
		if refused(err) {
			if _, lookErr := r.look(s, name); lookErr != nil {
				return lookErr
			}
		}
		return err
	})
}
