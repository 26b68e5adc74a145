package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/staging"
)

// Create implements staging.File.
func (s *stage) Create(_ context.Context, part string) (err error) {
	s.file, err = s.at.dir.create(part, s.perm)
	return err
}

// Reopen implements staging.File.
func (s *stage) Reopen(_ context.Context, part string, off int64) error {
	f, err := s.at.dir.reopen(part)
	if err != nil {
		return err
	}
	if err = f.Truncate(off); err == nil {
		_, err = f.Seek(off, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return err
	}
	s.file = f
	s.size.Store(off)
	return nil
}

// CopyHead implements staging.File.
func (s *stage) CopyHead(ctx context.Context, from string, off int64) error {
	src, size, err := s.source(from)
	if err != nil {
		return err
	}
	defer src.Close()
	if off, err = staging.Offset(off, size); err == nil {
		err = copyHead(ctx, s.file, src, off)
	}
	s.size.Store(off)
	return err
}

// source opens what CopyHead copies: the target, or a part.
func (s *stage) source(from string) (*os.File, int64, error) {
	if from == s.Base {
		src, m, err := s.r.tree.openFile(s.Name)
		if err == nil && src == nil { // target saw a regular file, but that has changed
			err = remote.ErrPermission
		}
		return src, m.size, err
	}
	src, err := s.at.dir.reopen(from)
	if err != nil {
		return nil, 0, err
	}
	info, err := src.Stat()
	if err != nil {
		src.Close()
		return nil, 0, err
	}
	return src, info.Size(), nil
}

// copyHead copies n bytes, by a reflink or inside the kernel where the file system can. It looks at
// ctx between pieces.
func copyHead(ctx context.Context, dst, src *os.File, n int64) error {
	const piece = 64 << 20
	for n > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		k, err := dst.ReadFrom(io.LimitReader(src, min(n, piece)))
		if err != nil {
			return err
		}
		if k == 0 {
			return io.ErrUnexpectedEOF
		}
		n -= k
	}
	return nil
}

// Finish implements staging.File. Of the entry it knows what it need not ask for: name and size,
// and the modification time if it was given.
func (s *stage) Finish(_ context.Context, modTime time.Time) (staging.Dir, remote.Entry, error) {
	if s.r.syncFile != nil {
		if err := s.sync(modTime); err != nil && !errors.Is(err, fs.ErrClosed) {
			return nil, remote.Entry{}, errors.Join(err, s.Spoil())
		}
	}
	if err := s.close(); err != nil {
		return nil, remote.Entry{}, err
	}
	if !modTime.IsZero() {
		if err := s.at.dir.chtimes(s.Part, modTime); err != nil {
			return nil, remote.Entry{}, err
		}
	}
	return &s.at, remote.Entry{Name: s.Base, Size: s.size.Load(), ModTime: modTime}, nil
}

func (s *stage) close() error {
	if err := s.file.Close(); !errors.Is(err, fs.ErrClosed) {
		return err
	}
	return nil
}

// End implements staging.File: no write waits.
func (s *stage) End() {}

// Stop implements staging.File.
func (s *stage) Stop() (staging.Dir, int64, error) {
	if err := s.close(); err != nil {
		return nil, 0, errors.Join(err, s.Spoil())
	}
	m, err := s.at.dir.lstat(s.Part)
	return &s.at, m.size, err
}

// Discard implements staging.File.
func (s *stage) Discard(context.Context) (staging.Dir, error) {
	s.file.Close() // what it could report concerns what is thrown away
	return &s.at, nil
}

// Release implements staging.File.
func (s *stage) Release() { s.at.dir.close() }
