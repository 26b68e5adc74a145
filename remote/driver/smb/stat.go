package smb

import (
	"context"
	"errors"
	"io/fs"
	"time"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote"
)

// Attributes of a file (MS-FSCC section 2.6).
const (
	attrReadOnly  = 0x1
	attrDirectory = 0x10
	attrReparse   = 0x400
)

// A meta is what the server tells of a file.
type meta struct {
	name    string // as on the disk
	size    int64
	modTime time.Time
	attrs   uint32
	id      uint64 // 0 where it is not told
}

// metaOf takes over what package smb2 returns as an fs.FileInfo.
func metaOf(s *smb2.FileStat) meta {
	return meta{s.FileName, s.EndOfFile, s.LastWriteTime, s.FileAttributes, s.FileId}
}

func (m *meta) dir() bool  { return m.attrs&attrDirectory != 0 }
func (m *meta) link() bool { return m.attrs&attrReparse != 0 }

// entry describes m. There is no Version: a server may change the content of a file that is open
// some time before its modification time.
func (m *meta) entry(name string) remote.Entry {
	e := remote.Entry{Name: name, Size: m.size, ModTime: m.modTime, Dir: m.dir(), ReadOnly: !m.dir() && m.attrs&attrReadOnly != 0}
	if e.Dir {
		e.Size = 0
	}
	return e
}

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	var e remote.Entry
	err := r.with(ctx, "stat", name, func(c *conn) error {
		m, err := r.find(ctx, c, name)
		e = m.entry(remote.BaseOf(name))
		return err
	})
	if err != nil {
		return remote.Entry{}, err
	}
	return e, nil
}

// find describes name, of a link what it leads to.
func (r *Remote) find(ctx context.Context, c *conn, name string) (meta, error) {
	return r.look(ctx, c, r.target(name), (*smb2.Share).Stat)
}

// look describes a file by Stat, or by Lstat.
func (r *Remote) look(ctx context.Context, c *conn, at target, how func(*smb2.Share, string) (fs.FileInfo, error)) (m meta, err error) {
	if at.share == "" {
		return meta{attrs: attrDirectory}, nil
	}
	err = r.files.watches.steady(func() target { return at }, func() error {
		m, err = call(ctx, r.files, c, at.share, func(s *smb2.Share) (meta, error) {
			info, err := how(s, at.path)
			if err != nil {
				return meta{}, err
			}
			return metaOf(info.Sys().(*smb2.FileStat)), nil
		}, nil)
		if status(err) == statusDeletePending {
			err = remote.ErrNotExist
		}
		return err
	})
	return m, err
}

// lstat describes what is there, a link as such.
func (r *Remote) lstat(ctx context.Context, c *conn, at target) (meta, error) {
	return r.look(ctx, c, at, (*smb2.Share).Lstat)
}

// exists reports whether something is there, for a call that failed.
func (r *Remote) exists(ctx context.Context, c *conn, at target) (m meta, ok bool) {
	m, err := r.lstat(ctx, c, at)
	return m, err == nil
}

// shareOnly is the error of a change that would be one of the shares of the server.
func (t target) shareOnly() error {
	if t.path == "" {
		return errors.Join(remote.ErrPermission, errors.New("shares cannot be changed"))
	}
	return nil
}
