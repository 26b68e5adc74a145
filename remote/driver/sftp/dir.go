package sftp

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"golang.org/x/crypto/ssh"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/network"
)

// maxPages is how many pages of a directory are asked for at a time. OpenSSH puts 100 entries on
// one.
const maxPages = 16

// A directory is one that is being read.
type directory struct {
	c      *conn
	raw    *raw // nil where the server opens no second channel: then all is here
	handle string
	all    []fs.FileInfo
	bound  *network.Listing
}

// openDir opens a directory for reading.
func (r *Remote) openDir(ctx context.Context, c *conn, dir string) (*directory, error) {
	p, bound := r.path(dir), r.o.Network.Listing()
	d, err := conns.Await(ctx, c, func() (*directory, error) {
		ch, err := c.rawChannel()
		var refused *ssh.OpenChannelError
		if errors.As(err, &refused) {
			var all []fs.FileInfo
			err := c.names.during(func() (err error) {
				all, err = c.sftp.ReadDirContext(ctx, p)
				return err
			})
			return &directory{c: c, all: all}, err
		}
		if err != nil {
			return nil, err
		}
		handle, err := ch.open(typeOpenDir, appendString(nil, p))
		return &directory{c: c, raw: ch, handle: handle, bound: bound}, err
	}, (*directory).close)
	if err == nil {
		return d, nil
	}
	// OpenSSH has one code for a file and for nothing.
	if m, statErr := r.find(ctx, c, dir); statErr == nil && !m.mode.IsDir() {
		return nil, remote.ErrNotDir
	} else if errors.Is(statErr, remote.ErrNotExist) || errors.Is(statErr, remote.ErrNotDir) {
		return nil, statErr
	}
	return nil, err
}

// each calls use for every entry, until that returns false or an error.
func (d *directory) each(ctx context.Context, use func(m *meta) (bool, error)) error {
	if d.raw == nil {
		return d.eachCollected(ctx, use)
	}
	for pages := 1; ; pages = min(2*pages, maxPages) {
		answers, err := conns.Await(ctx, d.c, func() ([]answer, error) {
			return d.raw.call(typeReadDir, pages, appendString(nil, d.handle))
		}, nil)
		if err != nil {
			return err
		}
		end := false
		for _, a := range answers {
			if a.typ != typeName {
				switch err := a.status(); err {
				case io.EOF:
					end = true
				case nil:
					return errPacket
				default:
					return err
				}
				continue
			}
			if more, err := d.eachOf(ctx, &a.packet, use); !more || err != nil {
				return err
			}
		}
		if end {
			return nil
		}
	}
}

func (d *directory) eachCollected(ctx context.Context, use func(m *meta) (bool, error)) error {
	for _, info := range d.all {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		m := metaOf(info, info.Name())
		if more, err := use(&m); !more || err != nil {
			return err
		}
	}
	return nil
}

// eachOf calls use for every entry on a page.
func (d *directory) eachOf(ctx context.Context, p *packet, use func(m *meta) (bool, error)) (bool, error) {
	n := p.uint32()
	if err := d.bound.Page(int(n)); err != nil {
		return false, err
	}
	for ; n > 0; n-- {
		name := p.string()
		p.string() // the line that ls -l would show
		m := p.meta(name)
		if p.bad {
			return false, errPacket
		}
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if name == "." || name == ".." {
			continue
		}
		if more, err := use(&m); !more || err != nil {
			return false, err
		}
	}
	return true, nil
}

// close closes the directory without waiting for it.
func (d *directory) close() {
	if d.handle != "" {
		go d.raw.close(d.handle) // nothing was written
	}
}
