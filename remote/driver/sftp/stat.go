package sftp

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	var e remote.Entry
	err := r.with(ctx, "stat", name, func(c *conn) error {
		m, err := r.find(ctx, c, name)
		e = entry(&m, remote.BaseOf(name))
		return err
	})
	if err != nil {
		return remote.Entry{}, err
	}
	return e, nil
}

// find describes name. What is neither a file nor a directory is ErrPermission.
func (r *Remote) find(ctx context.Context, c *conn, name string) (meta, error) {
	p := r.path(name)
	look := stat
	if r.o.SkipLinks && name != "." {
		look = lstat
	}
	info, err := look(ctx, c, p)
	if err != nil {
		return meta{}, belowFile(ctx, c, p, err)
	}
	m := metaOf(info, name)
	switch {
	case m.mode&fs.ModeSymlink != 0:
		return meta{}, remote.ErrNotExist
	case !m.regular() && !m.mode.IsDir():
		return meta{}, remote.ErrPermission
	}
	return m, nil
}

// stat describes what the server has at p, following links.
func stat(ctx context.Context, c *conn, p string) (fs.FileInfo, error) {
	return conns.Await(ctx, c, func() (fs.FileInfo, error) { return c.sftp.Stat(p) }, nil)
}

// lstat describes what the server has at p, links as such.
func lstat(ctx context.Context, c *conn, p string) (fs.FileInfo, error) {
	return conns.Await(ctx, c, func() (fs.FileInfo, error) { return c.sftp.Lstat(p) }, nil)
}

// belowFile returns ErrNotDir in place of an unexplained err if p lies below a file.
func belowFile(ctx context.Context, c *conn, p string, err error) error {
	if !unexplained(err) {
		return err
	}
	for {
		i := strings.LastIndexByte(p, '/')
		if i <= 0 {
			return err
		}
		p = p[:i]
		info, statErr := stat(ctx, c, p)
		if unexplained(statErr) {
			continue
		}
		if statErr == nil && !info.IsDir() {
			return fmt.Errorf("%w: %w", remote.ErrNotDir, err)
		}
		return err
	}
}

// regular reports whether m is a file that has content.
func (m *meta) regular() bool { return m.mode.IsRegular() }

// readOnly reports whether m is for nobody to write.
func (m *meta) readOnly() bool { return m.perms && m.mode&0o222 == 0 }

// entry describes m. There is no Version: the protocol has whole seconds only, in which a file may
// change twice.
func entry(m *meta, name string) remote.Entry {
	e := remote.Entry{Name: name, Size: m.size, ModTime: m.modTime, Mode: m.mode.Perm(), Dir: m.mode.IsDir(), ReadOnly: m.readOnly()}
	if e.Dir {
		e.Size = 0
	}
	return e
}
