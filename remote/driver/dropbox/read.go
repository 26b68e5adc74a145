package dropbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
	"ferry/remote/network"
)

// Open implements remote.Remote.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	err := remote.Check(ctx, name)
	if err == nil {
		err = remote.CheckOpen(name, off)
	}
	if err != nil {
		return nil, fail("open", name, err)
	}
	f, err := r.open(ctx, name, off, n)
	return f, fail("open", name, err)
}

func (r *Remote) open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	asking, cancel := context.WithCancel(ctx)
	const route = "files/download"
	got, err := r.service.ask(asking, route, busyOnly, func() (*http.Request, error) {
		q, err := r.service.contentRequest(asking, route, pathArg{r.path(name)}, nil)
		if err == nil {
			q.Header.Set("Accept-Encoding", "identity")
			httpclient.SetRange(q.Header, off, n)
		}
		return q, err
	})
	var refused *refusal
	if errors.As(err, &refused) && refused.code == http.StatusRequestedRangeNotSatisfiable { // it lies behind the end
		cancel()
		return io.NopCloser(eof{}), nil
	}
	if err != nil {
		cancel()
		return nil, unreadable(err)
	}
	if got.Header.Get("Dropbox-API-Result") == "" {
		got.Body.Close()
		cancel()
		return nil, network.ErrPage
	}
	f, err := httpclient.NewFile(asking, cancel, got, off, n)
	if err != nil {
		return nil, fmt.Errorf("the answer is no content: %w", err)
	}
	return &httpclient.Content{
		File: f, Describe: func(f *httpclient.File) (remote.Entry, bool) { return described(name, f) },
		Fail: func(err error) error { return fail("read", name, err) },
	}, nil
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// described is remote.Described for the content of name.
func described(name string, f *httpclient.File) (remote.Entry, bool) {
	var m metadata
	if json.Unmarshal([]byte(f.Header.Get("Dropbox-API-Result")), &m) != nil || m.Rev == "" {
		return remote.Entry{}, false
	}
	_, base := remote.Split(name)
	return m.entry(base), true
}
