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
	if err == nil {
		err = remote.CheckOpen(name, off)
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
	return &httpclient.Content{
		File: f, Describe: func(f *httpclient.File) (remote.Entry, bool) { return described(name, f) },
		Fail: func(err error) error { return remote.Fail("read", name, err) },
	}, nil
}

// described is remote.Described for the content of name.
func described(name string, f *httpclient.File) (remote.Entry, bool) {
	_, base := remote.Split(name)
	e := head{header: f.Header, size: f.Size}.entry(base)
	return e, e.Version != ""
}
