package webdav

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"ferry/budget"
	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// smallBody is how much of a body is read before the server is asked, where there are no chunks.
// What ends within it is sent with its length, and again when the server wants to know who is
// asking.
const smallBody = 64 << 10

// An upload is a Put under way.
type upload struct {
	name    string
	modTime time.Time
	head    []byte    // the beginning of the body
	rest    io.Reader // what follows; nil when the head is all of it
	size    int64     // of head and rest; 0 unknown, unless rest is nil
	kept    bool      // the server took the modification time
	memory  *budget.Upload
}

// begin reads the head of a body, limit bytes at most, when there is memory for it.
func begin(ctx context.Context, name string, body io.Reader, o remote.PutOptions, limit int, memory *budget.Upload) (*upload, error) {
	body = remote.ContextReader(ctx, body)
	if err := memory.Begin(ctx, int64(min(limit, smallBody))); err != nil {
		return nil, err
	}
	head, err := httpclient.ReadChunk(body, nil, min(limit, smallBody))
	if err == nil && limit > smallBody {
		if err := memory.Collect(ctx, int64(limit)); err != nil {
			return nil, err
		}
		head, err = httpclient.ReadChunk(body, head, limit)
	}
	u := &upload{name: name, modTime: o.ModTime, head: head, size: o.Size, memory: memory}
	n := int64(len(head))
	switch {
	case err == io.EOF:
		u.size = n
		return u, remote.CheckSize(n, o.Size)
	case err != nil:
		return nil, err
	case o.Size > 0 && n > o.Size:
		return nil, remote.CheckSize(n, o.Size)
	}
	u.rest = body
	return u, nil
}

// discardTime is how long it may take to remove an upload that failed.
const discardTime = 10 * time.Second

// discard removes an upload that failed. A server that is still busy with the request that broke
// off says that the file is locked, for a moment.
func (r *Remote) discard(ctx context.Context, hidden *url.URL) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTime)
	defer cancel()
	for wait := 10 * time.Millisecond; wait < discardTime; wait *= 2 {
		status, err := r.send(ctx, http.MethodDelete, hidden)
		if status != http.StatusLocked && status != http.StatusServiceUnavailable || err == nil {
			return
		}
		if remote.Sleep(ctx, wait) != nil {
			return
		}
	}
}
