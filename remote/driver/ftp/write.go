package ftp

import (
	"cmp"
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
	counted := &countedReader{r: remote.ContextReader(ctx, body), cut: s.cutData}
	if err := s.c.Stor(part, counted); err != nil {
		if counted.err == nil && refused(err) && counted.n == 0 {
			if reason := r.noParent(s, name); reason != nil {
				return remote.Entry{}, reason
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
		err := s.c.SetTime(part, o.ModTime)
		switch {
		case err == nil:
			e.ModTime = o.ModTime.Truncate(time.Second)
		case remote.CommonTime(o.ModTime) || !refused(err):
			return remote.Entry{}, err
		}
	}
	return e, r.replace(ctx, s, part, name)
}

// checkSize compares the size of a file with what was sent. A data connection that was cut ends
// like one that was not (RFC 959 section 3.4.1).
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

// rename renames what is at from, which can not be called back.
func (s *session) rename(ctx context.Context, from, to string) error {
	return s.commit(ctx, 2, func() error { return s.c.Rename(from, to) })
}

// replace renames the file at from to name, over an old one. Where the server refuses that, the old
// one is set aside meanwhile: that is not begun when the caller's time is over, and not left half
// done.
func (r *Remote) replace(ctx context.Context, s *session, from, name string) error {
	to := r.path(s, name)
	err := s.rename(ctx, from, to)
	if !answered(err) { // RNTO fails with any code
		return err
	}
	old, lookErr := r.look(s, name)
	switch {
	case lookErr == nil && old.Dir:
		return remote.ErrIsDir
	case lookErr == nil:
	case errors.Is(lookErr, fs.ErrNotExist):
		return cmp.Or(r.noParent(s, name), err)
	default:
		return err
	}
	if ctx.Err() != nil {
		return err
	}
	aside, release := r.newPart(s, name)
	defer release()
	if asideErr := s.rename(ctx, to, aside); asideErr != nil {
		if !answered(asideErr) {
			r.putBack(s, aside, to)
			return asideErr
		}
		return err
	}
	if err := s.rename(ctx, from, to); err != nil {
		back := s.rename(ctx, aside, to)
		if back != nil && !answered(back) {
			r.putBack(s, aside, to)
		}
		return errors.Join(err, back)
	}
	_ = s.c.Delete(aside) // List removes what stays
	return nil
}

// putBack lets the file set aside have its name again, unless another one has it by now.
func (r *Remote) putBack(s *session, aside, to string) {
	r.afterwards(s, func(s *session) error { // the change was reported as in doubt
		_, err := s.stat(to)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return s.c.Rename(aside, to)
		case err != nil:
			return err
		}
		return s.c.Delete(aside)
	})
}

// discard removes a hidden file. What stays is removed by List.
func (r *Remote) discard(s *session, part string) {
	r.afterwards(s, func(s *session) error { return s.c.Delete(part) })
}

// tidying is how long a call may take longer for the sake of what it leaves behind.
const tidying = 5 * time.Second

// afterwards makes a call that tidies up, over another session when s is lost. Nobody learns how it
// ends.
func (r *Remote) afterwards(s *session, call func(s *session) error) {
	ctx, cancel := context.WithTimeout(context.Background(), tidying)
	defer cancel()
	if !s.broken() {
		err := s.during(ctx, func() error { return call(s) })
		if err == nil || !s.broken() {
			return
		}
	}
	other, err := r.pool.dial(ctx) // not from the pool, where there may be room for one only
	if err != nil {
		return
	}
	defer other.quit()
	_ = other.during(ctx, func() error { return call(other) })
}

// A countedReader remembers what it has read.
type countedReader struct {
	r   io.Reader
	n   int64
	err error  // other than io.EOF
	cut func() // is called before such an err is returned
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
		c.cut()
	}
	return n, err
}

// Remove implements remote.Remote.
func (r *Remote) Remove(ctx context.Context, name string) error {
	return r.with(ctx, "remove", name, func(s *session) error {
		if name == "." {
			return remote.ErrIsDir
		}
		err := s.commit(ctx, 1, func() error { return s.c.Delete(r.path(s, name)) })
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
		err := s.commit(ctx, 1, func() error { return s.c.MakeDir(r.path(s, dir)) })
		if err == nil || !refused(err) && !exists(err) {
			return err
		}
		if !r.missing(s, dir) {
			return remote.ErrExist
		}
		return cmp.Or(r.noParent(s, dir), err)
	})
}

// Rmdir implements remote.Remote. A directory that holds nothing but what killed uploads left looks
// empty, and is removed with it.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	return r.with(ctx, "rmdir", dir, func(s *session) error {
		if dir == "." {
			return remote.ErrPermission
		}
		p := r.path(s, dir)
		remove := func() error { return s.commit(ctx, 1, func() error { return s.c.RemoveDir(p) }) }
		err := remove()
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
		return remove()
	})
}

// Move implements remote.Mover.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	if err := r.check(ctx, "move", to); err != nil {
		return err
	}
	return r.with(ctx, "move", from, func(s *session) error { return r.move(ctx, s, from, to) })
}

func (r *Remote) move(ctx context.Context, s *session, from, to string) error {
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
	return r.replace(ctx, s, r.path(s, from), to)
}

// SetModTime implements remote.ModTimer, where the server has MFMT, or MDTM for writing.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	return r.with(ctx, "setmodtime", name, func(s *session) error {
		if !s.c.IsSetTimeSupported() {
			return remote.ErrUnsupported
		}
		if !inTimeVal(t) {
			return remote.ErrInvalid
		}
		err := remote.AttemptTime(t, max(timeGrain, r.info.Caps.ModTime), func() (time.Time, error) {
			e, err := r.look(s, name)
			return e.ModTime, err
		}, func(t time.Time) error {
			return s.commit(ctx, 1, func() error { return s.c.SetTime(r.path(s, name), t) })
		})
		if refused(err) {
			if _, lookErr := r.look(s, name); lookErr != nil {
				return lookErr
			}
			if !remote.CommonTime(t) { // that is the likely reason
				return fmt.Errorf("%w: %w", remote.ErrInvalid, err)
			}
		}
		return err
	})
}

// timeGrain is what the coarsest file systems of servers round times to.
const timeGrain = 2 * time.Second

// inTimeVal reports whether the form of times in commands has the year of t.
func inTimeVal(t time.Time) bool {
	year := t.UTC().Year()
	return 0 <= year && year <= 9999
}

// CheckTime implements remote.TimeChecker. What lies beyond the times that are common is a
// question of the server's disk.
func (r *Remote) CheckTime(name string, t time.Time) error {
	switch {
	case !inTimeVal(t):
		return fail("checktime", name, remote.ErrInvalid)
	case !remote.CommonTime(t):
		return fail("checktime", name, remote.ErrUnsupported)
	}
	return nil
}
