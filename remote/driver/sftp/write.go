package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

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
		return remote.Entry{}, fail("put", name, r.full(s.c, err))
	}
	return e, nil
}

// Remove implements remote.Remote. A link is removed, and what it leads to stays.
func (r *Remote) Remove(ctx context.Context, name string) error {
	return r.with(ctx, "remove", name, func(c *conn) error {
		m, err := r.find(ctx, c, name) // package sftp would remove an empty directory too
		switch {
		case err != nil:
			return err
		case m.mode.IsDir():
			return remote.ErrIsDir
		}
		p := r.path(name)
		return commit(ctx, c, func(context.Context) error { return c.sftp.Remove(p) })
	})
}

// Mkdir implements remote.Remote.
func (r *Remote) Mkdir(ctx context.Context, dir string) error {
	return r.with(ctx, "mkdir", dir, func(c *conn) error {
		if dir == "." {
			return remote.ErrExist
		}
		p := r.path(dir)
		return commit(ctx, c, func(ctx context.Context) error {
			err := c.sftp.Mkdir(p)
			if unexplained(err) || errors.Is(err, fs.ErrPermission) {
				if _, statErr := lstat(ctx, c, p); statErr == nil {
					return remote.ErrExist
				}
			}
			return belowFile(ctx, c, p, err)
		})
	})
}

// Rmdir implements remote.Remote. A directory that holds nothing but unfinished uploads looks
// empty, and is removed with them, unless one is under way. A link to a directory is ErrPermission.
func (r *Remote) Rmdir(ctx context.Context, dir string) error {
	return r.with(ctx, "rmdir", dir, func(c *conn) error {
		if dir == "." {
			return remote.ErrPermission
		}
		p := r.path(dir)
		info, err := lstat(ctx, c, p)
		switch {
		case err != nil:
			return belowFile(ctx, c, p, err)
		case info.Mode()&fs.ModeSymlink != 0:
			return remote.ErrPermission
		case !info.IsDir():
			return remote.ErrNotDir
		}
		return commit(ctx, c, func(ctx context.Context) error {
			err := c.sftp.RemoveDirectory(p)
			if !unexplained(err) {
				return err
			}
			if err := r.parts.RemoveAll(ctx, r.over(c, dir)); err != nil {
				return err
			}
			return c.sftp.RemoveDirectory(p)
		})
	})
}

// SetModTime implements remote.ModTimer, unless Options.KeepModTime is off.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	return r.with(ctx, "setmodtime", name, func(c *conn) error {
		if !r.o.KeepModTime {
			return remote.ErrUnsupported
		}
		if err := inProtocol(t); err != nil {
			return err
		}
		if _, err := r.find(ctx, c, name); err != nil {
			return err
		}
		p := r.path(name)
		return remote.AttemptTime(t, timeGrain, func() (time.Time, error) {
			m, err := r.find(ctx, c, name)
			return m.modTime, err
		}, func(t time.Time) error {
			return commit(ctx, c, func(context.Context) error { return c.sftp.Chtimes(p, time.Now(), t) })
		})
	})
}

// timeGrain is what the coarsest file systems of servers round times to.
const timeGrain = 2 * time.Second

// inProtocol returns remote.ErrInvalid for a time that SFTP cannot say.
func inProtocol(t time.Time) error {
	if !representable(t).Equal(t.Truncate(precision)) {
		return fmt.Errorf("%w: SFTP has no time %v", remote.ErrInvalid, t)
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

// SetMode implements remote.Moder.
func (r *Remote) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return r.with(ctx, "setmode", name, func(c *conn) error {
		if _, err := r.find(ctx, c, name); err != nil {
			return err
		}
		p := r.path(name)
		return commit(ctx, c, func(context.Context) error { return c.sftp.Chmod(p, perm.Perm()) })
	})
}
