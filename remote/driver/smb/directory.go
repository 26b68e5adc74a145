package smb

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/network"
)

// A directory is one that is being listed. When it steps aside, the rest of its entries is read
// into memory.
type directory struct {
	// constant
	c     *conn
	files *files
	bound *network.Listing

	mu   sync.Mutex
	f    *smb2.File    // nil when all is in rest; guarded by mu
	rest []fs.FileInfo // entries that were read and not yet taken; guarded by mu
}

// pageSize is how many entries are taken at a time, of those that came in one answer.
const pageSize = 256

// openDir opens a directory and reads its first entries.
func (r *Remote) openDir(ctx context.Context, c *conn, at target) (*directory, error) {
	d := &directory{c: c, files: r.files, bound: r.o.Network.Listing()}
	r.files.add(d, at)
	_, err := conns.Await(ctx, c, func() (*directory, error) { return d, d.open(ctx, at) }, (*directory).close)
	if err == nil {
		return d, nil
	}
	r.files.remove(d)
	if m, statErr := r.look(ctx, c, at, (*smb2.Share).Stat); statErr == nil && !m.dir() {
		return nil, remote.ErrNotDir
	} else if errors.Is(statErr, remote.ErrNotExist) {
		return nil, statErr
	}
	return nil, err
}

func (d *directory) open(ctx context.Context, at target) error {
	s, err := d.c.share(at.share)
	if err != nil {
		return err
	}
	return d.files.attempt(ctx, d.c, func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		f, err := s.OpenFile(at.path, os.O_RDONLY, 0)
		if err != nil {
			return err
		}
		d.f = f
		d.rest, err = d.read(pageSize)
		if err != nil {
			f.Close()
			d.f = nil
		}
		return err
	})
}

// read reads up to n entries, all that are left if n is -1. At the end it closes the directory.
// LOCKS_REQUIRED(d.mu)
func (d *directory) read(n int) ([]fs.FileInfo, error) {
	infos, err := d.f.Readdir(n)
	if err == io.EOF || err == nil && len(infos) < n || err == nil && n < 0 {
		f := d.f
		d.f = nil
		err = f.Close()
	}
	return infos, err
}

// next returns the entries that come next, none at the end.
func (d *directory) next(ctx context.Context) ([]fs.FileInfo, error) {
	infos, err := conns.Await(ctx, d.c, func() (infos []fs.FileInfo, err error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.rest) == 0 && d.f != nil {
			err = d.c.safely(func() (err error) {
				d.rest, err = d.read(pageSize)
				return err
			})
		}
		infos, d.rest = d.rest, nil
		return infos, err
	}, nil)
	if err == nil && len(infos) > 0 {
		err = d.bound.Page(len(infos))
	}
	return infos, err
}

// aside implements opened.
func (d *directory) aside(deadline time.Time) bool {
	if !lockBefore(deadline, d.mu.TryLock) {
		return false
	}
	defer d.mu.Unlock()
	if d.f == nil {
		return true
	}
	err := d.c.safely(func() error {
		rest, err := d.read(-1)
		d.rest = append(d.rest, rest...)
		return err
	})
	return err == nil
}

// close closes the directory without waiting for it.
func (d *directory) close() {
	go func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.f != nil {
			_ = d.c.safely(d.f.Close) // nothing was written
			d.f = nil
		}
		d.files.remove(d)
	}()
}

// each calls use for every entry, until that returns false or an error.
func (d *directory) each(ctx context.Context, use func(m *meta) (bool, error)) error {
	for {
		infos, err := d.next(ctx)
		if err != nil || len(infos) == 0 {
			return err
		}
		for _, info := range infos {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			m := metaOf(info.Sys().(*smb2.FileStat))
			if more, err := use(&m); !more || err != nil {
				return err
			}
		}
	}
}
