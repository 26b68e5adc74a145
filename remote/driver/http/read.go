package http

import (
	"context"
	"errors"
	"io"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// Open implements remote.Remote.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	err := remote.Check(ctx, name)
	if err == nil && off < 0 {
		err = remote.ErrInvalid
	}
	if err == nil && name == "." {
		err = remote.ErrIsDir
	}
	if err != nil {
		return nil, remote.Fail("open", name, err)
	}
	f, err := r.client.Open(ctx, r.url(name, false), off, n)
	var status *httpclient.StatusError
	if errors.As(err, &status) && (errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrUnsupported)) && ctx.Err() == nil {
		if e, statErr := r.stat(ctx, name); statErr == nil && e.Dir {
			err = remote.ErrIsDir
		}
	}
	if err != nil {
		return nil, remote.Fail("open", name, err)
	}
	return &reader{f, name}, nil
}

// A reader names the file in its errors, and describes it.
type reader struct {
	*httpclient.File
	name string
}

func (f *reader) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if err != nil && err != io.EOF {
		err = remote.Fail("read", f.name, err)
	}
	return n, err
}

// Described implements remote.Described.
func (f *reader) Described() (remote.Entry, bool) {
	_, base := remote.Split(f.name)
	e := head{header: f.Header, size: f.Size}.entry(base)
	return e, e.Version != ""
}
