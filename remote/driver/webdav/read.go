package webdav

import (
	"context"
	"errors"
	"io"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// Open implements remote.Remote.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	err := check(ctx, name)
	if err == nil {
		err = remote.CheckOpen(name, off)
	}
	if err != nil {
		return nil, remote.Fail("open", name, err)
	}
	f, err := r.open(ctx, name, off, n)
	if err != nil {
		return nil, remote.Fail("open", name, r.explainOpen(ctx, name, err))
	}
	return &httpclient.Content{
		File: f, Describe: func(f *httpclient.File) (remote.Entry, bool) { return described(name, f) },
		Fail: func(err error) error { return remote.Fail("read", name, err) },
	}, nil
}

// open keeps name from being replaced until the server has begun to answer: some servers look at
// the length of a file before they open it, and would give one file the length of another.
func (r *Remote) open(ctx context.Context, name string, off, n int64) (*httpclient.File, error) {
	release, err := r.names.Look(ctx, name)
	if err != nil {
		return nil, err
	}
	defer release()
	return r.client.Open(ctx, r.url(name, false), off, n)
}

// explainOpen finds out whether name cannot be read as it is a directory. Servers have many answers
// to that.
func (r *Remote) explainOpen(ctx context.Context, name string, err error) error {
	var status *httpclient.StatusError
	if !errors.As(err, &status) || ctx.Err() != nil || status.Code >= 500 && !errors.Is(err, remote.ErrUnsupported) {
		return err
	}
	e, statErr := r.stat(ctx, name)
	switch {
	case errors.Is(statErr, remote.ErrNotExist):
		return remote.ErrNotExist
	case statErr == nil && e.Dir:
		return remote.ErrIsDir
	}
	return err
}

// described is remote.Described for the content of name.
func described(name string, f *httpclient.File) (remote.Entry, bool) {
	_, base := remote.Split(name)
	e := remote.Entry{
		Name:    base,
		Size:    f.Size,
		ModTime: parseTime(f.Header.Get("Last-Modified")),
		Version: versionOf(f.Header.Get("ETag")),
	}
	return e, e.Version != "" || e.Size >= 0 && !e.ModTime.IsZero()
}
