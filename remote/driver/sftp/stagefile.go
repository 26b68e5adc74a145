package sftp

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/pkg/sftp"

	"ferry/remote"
	"ferry/remote/driver/internal/chunks"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/driver/internal/staging"
)

// at is the directory that the upload is in by now, over the connection that has the file open.
func (s *stage) at() *hiding { return s.r.over(s.c, s.Dir()) }

// write has the stage write to f from off on.
func (s *stage) write(f *sftp.File, off int64) {
	s.file, s.w = f, chunks.NewWriter(f, off, max(s.r.o.Concurrency*packetSize/chunks.Size, 1))
}

// Create implements staging.File.
func (s *stage) Create(ctx context.Context, part string) error {
	p := s.at().server(part)
	f, err := conns.Await(ctx, s.c, func() (*sftp.File, error) {
		return s.c.sftp.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	}, func(f *sftp.File) {
		f.Close()
		_ = s.c.sftp.Remove(p) // what cannot be removed expires
	})
	if unexplained(err) {
		if _, statErr := lstat(ctx, s.c, p); statErr == nil {
			return remote.ErrExist
		}
	}
	if err == nil {
		s.write(f, 0)
	}
	return err
}

// Reopen implements staging.File.
func (s *stage) Reopen(ctx context.Context, part string, off int64) error {
	p := s.at().server(part)
	f, err := conns.Await(ctx, s.c, func() (*sftp.File, error) {
		f, err := s.c.sftp.OpenFile(p, os.O_WRONLY)
		if err != nil {
			return nil, err
		}
		if err := f.Truncate(off); err != nil {
			f.Close()
			return nil, err
		}
		return f, nil
	}, func(f *sftp.File) { f.Close() })
	if err == nil {
		s.write(f, off)
	}
	return err
}

// CopyHead implements staging.File. It copies inside the server where that can.
func (s *stage) CopyHead(ctx context.Context, _ string, off int64) error {
	n, err := staging.Offset(off, s.old.size)
	if err != nil || n == 0 {
		return err
	}
	err = s.r.copyInside(ctx, s.c, s.r.path(s.Name), s.at().server(s.Part), n)
	if err == nil {
		s.write(s.file, n)
	}
	if !errors.Is(err, remote.ErrUnsupported) {
		return err
	}
	src, err := s.r.Open(ctx, s.Name, 0, n)
	if err != nil {
		return err
	}
	defer src.Close()
	return s.w.Fill(ctx, src, n)
}

// Finish implements staging.File.
func (s *stage) Finish(ctx context.Context, modTime time.Time) (staging.Dir, remote.Entry, error) {
	if err := s.w.Drain(ctx); err != nil {
		return nil, remote.Entry{}, s.r.full(s.c, err)
	}
	h := s.at()
	if s.whole && s.c.Lost() { // while a Commit before this one was to be answered
		var err error
		if h, err = s.r.borrow(ctx, h.Path()); err != nil {
			return nil, remote.Entry{}, err
		}
	}
	info, err := s.complete(ctx, h, modTime)
	if err != nil {
		h.Close()
		return nil, remote.Entry{}, err
	}
	b := remote.BaseOf(s.Name)
	m := metaOf(info, b)
	return h, entry(&m, b), nil
}

// complete gives the hidden file its time and closes it.
func (s *stage) complete(ctx context.Context, h *hiding, modTime time.Time) (fs.FileInfo, error) {
	part := h.server(s.Part)
	info, err := conns.Await(ctx, h.Conn, func() (fs.FileInfo, error) {
		if !modTime.IsZero() && s.r.o.KeepModTime {
			if err := h.Conn.sftp.Chtimes(part, time.Now(), representable(modTime)); err != nil {
				return nil, err
			}
		}
		info, err := h.Conn.sftp.Lstat(part)
		if err != nil {
			return nil, err
		}
		return info, s.closeFile()
	}, nil)
	if err != nil {
		return nil, err
	}
	s.whole = true
	return info, nil
}

// closeFile closes the hidden file. That it was closed before is no error.
func (s *stage) closeFile() error {
	if err := s.file.Close(); !errors.Is(err, fs.ErrClosed) {
		return err
	}
	return nil
}

// End implements staging.File.
func (s *stage) End() { s.w.End() }

// Stop implements staging.File. What the server has not confirmed is cut off.
func (s *stage) Stop() (staging.Dir, int64, error) {
	s.w.DrainFor(conns.Patience, s.c.Close)
	s.file.Close() // what it could report is that the connection is lost
	ctx, cancel := context.WithTimeout(context.Background(), conns.Patience)
	defer cancel()
	h, err := s.r.borrow(ctx, s.Dir())
	if err != nil {
		return nil, 0, err
	}
	n, p := s.w.Written(), h.server(s.Part)
	if n == 0 {
		return h, 0, nil
	}
	info, err := lstat(ctx, h.Conn, p)
	if err == nil && info.Size() > n {
		err = conns.Do(ctx, h.Conn, func() error { return h.Conn.sftp.Truncate(p, n) })
	}
	if err != nil {
		h.Close()
		return nil, 0, err
	}
	return h, n, nil
}

// Discard implements staging.File. The connection of the stage may be lost, or wait for its data.
func (s *stage) Discard(ctx context.Context) (staging.Dir, error) {
	go s.file.Close() // after the chunks that are under way
	return s.r.borrow(ctx, s.Dir())
}

// Release implements staging.File.
func (s *stage) Release() {
	s.w.End()
	s.r.pool.Put(s.c)
}
