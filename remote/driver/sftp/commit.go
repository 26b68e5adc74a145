package sftp

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

// Commit implements remote.Stage.
func (s *stage) Commit(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return remote.Entry{}, nil
	}
	e, err := s.publish(ctx, modTime)
	if err != nil {
		return remote.Entry{}, fail("publish", s.name, err)
	}
	return e, nil
}

// LOCKS_REQUIRED(s.mu)
func (s *stage) publish(ctx context.Context, modTime time.Time) (remote.Entry, error) {
	if ctx.Err() != nil {
		return remote.Entry{}, context.Cause(ctx)
	}
	if err := s.w.drain(ctx); err != nil {
		return remote.Entry{}, s.r.full(s.c, err)
	}
	c := s.c
	if s.whole && c.lost.Load() { // while a Commit before this one was to be answered
		other, err := s.r.pool.get(ctx)
		if err != nil {
			return remote.Entry{}, err
		}
		defer s.r.pool.put(other)
		c = other
	}
	dir := s.r.uploads.dir(s)
	part, target := s.r.partPath(dir, s.part), s.r.partPath(dir, s.held)
	info, err := s.complete(ctx, c, part, modTime)
	if err != nil {
		return remote.Entry{}, err
	}
	if err := s.rename(ctx, c, part, target); err != nil {
		return remote.Entry{}, err
	}
	s.dropKept(ctx, c, dir)
	m := metaOf(info, s.base)
	s.end()
	return entry(&m, s.base), nil
}

// complete gives the hidden file its time and closes it.
// LOCKS_REQUIRED(s.mu)
func (s *stage) complete(ctx context.Context, c *conn, part string, modTime time.Time) (info fs.FileInfo, err error) {
	err = do(ctx, c, func() (err error) {
		if !modTime.IsZero() && s.r.o.KeepModTime {
			if err := c.sftp.Chtimes(part, time.Now(), representable(modTime)); err != nil {
				return err
			}
		}
		if info, err = c.sftp.Lstat(part); err != nil {
			return err
		}
		return s.w.closeFile()
	})
	if err != nil {
		return nil, err
	}
	s.whole = true
	return info, nil
}

// rename puts the hidden file in the place of the target.
func (s *stage) rename(ctx context.Context, c *conn, part, target string) error {
	err := s.r.replace(ctx, c, part, target)
	if !unexplained(err) {
		return err
	}
	if info, statErr := lstat(ctx, c, target); statErr == nil && info.IsDir() {
		return remote.ErrIsDir
	}
	return err
}

// dropKept forgets what the owner had left, also when the upload's time is over meanwhile. Mostly
// there is nothing, and what cannot be removed does not concern this upload.
func (s *stage) dropKept(ctx context.Context, c *conn, dir string) {
	if s.owner == partname.PutOwner {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	kept := s.r.partPath(dir, partname.Name{Owner: s.owner, Base: s.held}.String())
	_ = do(ctx, c, func() error { return c.sftp.Remove(kept) })
}

// replace renames from to to, over an old file. Where the server cannot, the old one is set aside
// meanwhile: that is not begun when nobody waits any more, and not left half done.
func (r *Remote) replace(ctx context.Context, c *conn, from, to string) error {
	if _, ok := c.sftp.HasExtension("posix-rename@openssh.com"); ok {
		return commit(ctx, c, func(context.Context) error { return c.sftp.PosixRename(from, to) })
	}
	return commit(ctx, c, func(ctx context.Context) error {
		err := c.sftp.Rename(from, to)
		if !unexplained(err) && !errors.Is(err, fs.ErrExist) {
			return err
		}
		old, statErr := c.sftp.Lstat(to)
		if statErr != nil || old.IsDir() || ctx.Err() != nil {
			return err
		}
		return r.replaceAside(c, from, to)
	})
}

// replaceAside is replace for a file that is there and that the server does not rename over.
func (r *Remote) replaceAside(c *conn, from, to string) error {
	aside := from + "#"
	if err := c.sftp.Rename(to, aside); err != nil {
		if unanswered(err) {
			r.putBack(aside, to)
		}
		return err
	}
	if err := c.sftp.Rename(from, to); err != nil {
		back := c.sftp.Rename(aside, to)
		if unanswered(back) {
			r.putBack(aside, to)
		}
		return errors.Join(err, back)
	}
	_ = c.sftp.Remove(aside) // to is what it should be
	return nil
}

// putBack lets the file set aside have its name again, over another connection as its own is lost,
// unless another file has it by now.
func (r *Remote) putBack(aside, to string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := r.pool.get(ctx)
	if err != nil {
		return
	}
	defer r.pool.put(c)
	_ = do(ctx, c, func() error { // the change was reported as in doubt
		if err := c.sftp.Rename(aside, to); err == nil || !unexplained(err) && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if _, err := c.sftp.Lstat(to); err != nil {
			return err
		}
		return c.sftp.Remove(aside)
	})
}
