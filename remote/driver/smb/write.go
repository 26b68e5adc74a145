package smb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote"
	"ferry/remote/driver/internal/staging"
	"ferry/remote/partname"
)

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if err := r.check(ctx, "put", name); err != nil {
		return remote.Entry{}, err
	}
	s, err := r.begin(ctx, name, remote.StageOptions{Owner: partname.PutOwner})
	if err != nil {
		return remote.Entry{}, fail("put", name, err)
	}
	stop := context.AfterFunc(ctx, s.w.End)
	defer stop()
	e, err := staging.Put(ctx, s, s.w, body, o)
	if err != nil {
		return remote.Entry{}, fail("put", name, err)
	}
	return e, nil
}

// Remove implements remote.Remote. A link is removed, and what it leads to stays.
func (r *Remote) Remove(ctx context.Context, name string) error {
	return r.with(ctx, "remove", name, func(c *conn) error {
		m, err := r.find(ctx, c, name) // package smb2 would remove an empty directory too
		switch {
		case err != nil:
			return err
		case m.dir():
			return remote.ErrIsDir
		}
		return r.unlink(ctx, c, r.target(name))
	})
}

// unlink removes a file, a link or an empty directory.
func (r *Remote) unlink(ctx context.Context, c *conn, at target) error {
	return r.files.change(ctx, c, func(s *smb2.Share) error { return s.Remove(at.path) }, at)
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	return r.with(ctx, "mkdir", dir, func(c *conn) error {
		at := r.target(dir)
		if dir == "." {
			return remote.ErrExist
		}
		if at.path == "" {
			if _, ok := r.exists(ctx, c, at); ok {
				return remote.ErrExist
			}
			return at.shareOnly()
		}
		err := r.files.change(ctx, c, func(s *smb2.Share) error { return s.Mkdir(at.path, 0o777) }, at)
		if refused(err) || errors.Is(err, remote.ErrNotDir) {
			if _, ok := r.exists(ctx, c, at); ok {
				return remote.ErrExist
			}
		}
		return err
	})
}

// Rmdir implements remote.Remote. A directory that holds nothing but unfinished uploads looks
// empty, and is removed with them, unless one is under way. A link to a directory is ErrPermission.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	return r.with(ctx, "rmdir", dir, func(c *conn) error {
		at := r.target(dir)
		if dir == "." {
			return remote.ErrPermission
		}
		m, err := r.lstat(ctx, c, at)
		switch {
		case err != nil:
			return err
		case !m.dir():
			return remote.ErrNotDir
		case m.link():
			return remote.ErrPermission
		case at.path == "":
			return at.shareOnly()
		}
		err = r.unlink(ctx, c, at)
		if !errors.Is(err, remote.ErrNotEmpty) {
			return err
		}
		if err := r.parts.RemoveAll(ctx, r.over(c, dir)); err != nil {
			return err
		}
		return r.unlink(ctx, c, at)
	})
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	return r.with(ctx, "setmodtime", name, func(c *conn) error {
		if err := inProtocol(t); err != nil {
			return err
		}
		at := r.target(name)
		if err := at.shareOnly(); err != nil {
			return err
		}
		if _, err := r.find(ctx, c, name); err != nil {
			return err
		}
		return remote.AttemptTime(t, timeGrain, func() (time.Time, error) {
			m, err := r.find(ctx, c, name)
			return m.modTime, err
		}, func(t time.Time) error {
			return r.files.change(ctx, c, func(s *smb2.Share) error { return s.Chtimes(at.path, time.Now(), t) }, at)
		})
	})
}

// timeGrain is what the coarsest file systems of servers round times to.
const timeGrain = 2 * time.Second

// inProtocol returns remote.ErrInvalid for a time that package smb2 cannot express, which counts
// nanoseconds since 1970 in 64 bits, or that means "leave it as it is" (MS-FSCC section 2.4.7).
func inProtocol(t time.Time) error {
	if t.Before(time.Unix(0, math.MinInt64)) || t.After(time.Unix(0, math.MaxInt64)) {
		return fmt.Errorf("%w: there is no time %v on the server", remote.ErrInvalid, t)
	}
	return nil
}

// CheckTime implements remote.TimeChecker. What lies beyond the times that are common is a
// question of the server's disk.
func (r *Remote) CheckTime(name string, t time.Time) error {
	err := inProtocol(t)
	if err == nil && !remote.CommonTime(t) {
		err = remote.ErrUnsupported
	}
	if err != nil {
		return fail("checktime", name, err)
	}
	return nil
}
