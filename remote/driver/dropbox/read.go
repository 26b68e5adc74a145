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
	if err == nil && off < 0 {
		err = remote.ErrInvalid
	}
	if err == nil && name == "." {
		err = remote.ErrIsDir
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
	return &reader{f, name}, nil
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// A reader names the file in its errors, and describes it.
type reader struct {
	*httpclient.File
	name string
}

func (f *reader) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if err != nil && err != io.EOF {
		err = fail("read", f.name, err)
	}
	return n, err
}

// Described implements remote.Described.
func (f *reader) Described() (remote.Entry, bool) {
	var m metadata
	if json.Unmarshal([]byte(f.Header.Get("Dropbox-API-Result")), &m) != nil || m.Rev == "" {
		return remote.Entry{}, false
	}
	_, base := remote.Split(f.name)
	return m.entry(base), true
}
