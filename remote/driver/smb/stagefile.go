package smb

import (
	"context"
	"errors"
	"os"
	"time"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote"
	"ferry/remote/driver/internal/chunks"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/driver/internal/staging"
)

// at is the directory that the upload is in by now, over the connection that has the file open.
func (s *stage) at() *hiding { return s.r.over(s.c, s.Dir()) }

// Create implements staging.File.
func (s *stage) Create(ctx context.Context, part string) error {
	return s.openPart(ctx, part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0)
}

// Reopen implements staging.File.
func (s *stage) Reopen(ctx context.Context, part string, off int64) error {
	if err := s.openPart(ctx, part, os.O_RDWR, off); err != nil {
		return err
	}
	err := conns.Do(ctx, s.c, func() error { return s.file.Truncate(off) })
	if err != nil {
		s.close()
	}
	return err
}

// openPart opens the hidden file, to be written from off on.
func (s *stage) openPart(ctx context.Context, part string, flags int, off int64) error {
	at := s.at().server(part)
	h, err := s.r.files.openFile(ctx, s.c, at, flags, nil)
	if err != nil {
		return err
	}
	h.flags = os.O_RDWR // when it comes back it exists
	s.file, s.w = h, chunks.NewWriter(h, off, chunksMax)
	return nil
}

// CopyHead implements staging.File. It copies inside the server where that can.
func (s *stage) CopyHead(ctx context.Context, from string, off int64) error {
	d := s.at()
	m, err := s.r.lstat(ctx, s.c, d.server(from))
	if err != nil {
		return err
	}
	n, err := staging.Offset(off, m.size)
	if err != nil || n == 0 {
		return err
	}
	if m.size <= maxInside {
		err := s.copyInside(ctx, d.server(from))
		if err == nil {
			err = conns.Do(ctx, s.c, func() error { return s.file.Truncate(n) })
		}
		if err == nil {
			s.w = chunks.NewWriter(s.file, n, chunksMax)
			return nil
		}
		if unanswered(err) {
			return err
		}
	}
	src, _, err := s.r.openRead(ctx, s.c, d.server(from))
	if err != nil {
		return err
	}
	rd := chunks.NewReader(ctx, src, chunks.ReadOptions{
		Entry: m.entry(from), N: n, Max: chunksMax, Release: func() {},
		Fail: func(err error) error { return fail("read", s.Name, err) },
	})
	defer rd.Close()
	return s.w.Fill(ctx, rd, n)
}

// Finish implements staging.File.
func (s *stage) Finish(ctx context.Context, modTime time.Time) (staging.Dir, remote.Entry, error) {
	if err := s.w.Drain(ctx); err != nil {
		return nil, remote.Entry{}, err
	}
	h := s.at()
	if s.whole && s.c.Lost() { // while a Commit before this one was to be answered
		var err error
		if h, err = s.r.borrow(ctx, h.Path()); err != nil {
			return nil, remote.Entry{}, err
		}
	}
	m, err := s.complete(ctx, h, modTime)
	if err != nil {
		h.Close()
		return nil, remote.Entry{}, err
	}
	return h, m.entry(remote.BaseOf(s.Name)), nil
}

// complete closes the hidden file and gives it its time.
func (s *stage) complete(ctx context.Context, h *hiding, modTime time.Time) (m meta, err error) {
	if !s.whole {
		if err := conns.Do(ctx, s.c, s.file.Close); err != nil {
			return meta{}, err
		}
		s.whole = true
	}
	part := h.server(s.Part)
	if !modTime.IsZero() && inProtocol(modTime) == nil {
		_, err := call(ctx, s.r.files, h.Conn, part.share, func(share *smb2.Share) (struct{}, error) {
			return struct{}{}, share.Chtimes(part.path, time.Now(), modTime)
		}, nil)
		if err != nil {
			return meta{}, err
		}
	}
	return s.r.lstat(ctx, h.Conn, part)
}

// close closes the file, within some time.
func (s *stage) close() {
	ctx, cancel := context.WithTimeout(context.Background(), conns.Patience)
	defer cancel()
	_ = conns.Do(ctx, s.c, s.file.Close) // the server closes it with the connection
}

// End implements staging.File.
func (s *stage) End() { s.w.End() }

// Stop implements staging.File. What the server has not confirmed is cut off.
func (s *stage) Stop() (staging.Dir, int64, error) {
	s.w.DrainFor(conns.Patience, s.c.Close)
	s.close()
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
	m, err := s.r.lstat(ctx, h.Conn, p)
	if err == nil && m.size > n {
		err = h.patiently(ctx, func() error {
			return s.r.files.change(ctx, h.Conn, func(share *smb2.Share) error { return share.Truncate(p.path, n) }, p)
		})
	}
	if err != nil {
		h.Close()
		return nil, 0, err
	}
	return h, n, nil
}

// Discard implements staging.File. The connection of the stage may be lost, or wait for its data.
func (s *stage) Discard(ctx context.Context) (staging.Dir, error) {
	err := conns.Do(ctx, s.c, s.file.Close) // after the chunks that are under way
	if err != nil && ctx.Err() != nil {
		return nil, errors.Join(err, context.Cause(ctx))
	}
	return s.r.borrow(ctx, s.Dir())
}

// Release implements staging.File.
func (s *stage) Release() {
	s.w.End()
	s.r.pool.Put(s.c)
}
