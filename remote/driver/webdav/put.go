package webdav

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// Put implements remote.Remote.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	err := r.checkNew(ctx, name)
	if err == nil && name == "." {
		err = remote.ErrIsDir
	}
	if err != nil {
		return remote.Entry{}, remote.Fail("put", name, err)
	}
	if r.tooEarly(o.ModTime) {
		o.ModTime = time.Time{} // such as that of a clock that was never set
	}
	limit := smallBody
	if r.chunks != nil {
		limit = r.chunkSize
	}
	memory := r.network.Memory.Upload()
	defer memory.End()
	u, err := begin(ctx, name, body, o, limit, memory)
	if err != nil {
		return remote.Entry{}, remote.Fail("put", name, err)
	}
	e, err := r.put(ctx, u)
	return e, remote.Fail("put", name, err)
}

// put sends the upload, directly where the server makes it atomic and its length is known.
func (r *Remote) put(ctx context.Context, u *upload) (remote.Entry, error) {
	exists := false
	if u.rest != nil {
		e, err := r.stat(ctx, u.name)
		if err == nil && e.Dir {
			return remote.Entry{}, remote.ErrIsDir
		}
		exists = err == nil
	}
	finishing, release := remote.Committed(ctx) // what follows when the file is visible belongs to it
	defer release()
	var n int64
	var err error
	switch {
	case r.vendor.atomicPut && (u.rest == nil || u.size > 0 && r.chunks == nil):
		if n, err = r.transferDirectly(ctx, u); err == nil {
			err = r.verify(finishing, u.name, u, n)
		}
	case r.chunks != nil && u.rest != nil:
		n, err = r.putChunks(ctx, u)
	default:
		n, err = r.putHidden(ctx, u, exists)
	}
	if err != nil {
		return remote.Entry{}, err
	}
	return r.finish(finishing, u, n)
}

// putHidden sends the content to a hidden name first.
func (r *Remote) putHidden(ctx context.Context, u *upload, exists bool) (int64, error) {
	dir, _ := remote.Split(u.name)
	hidden := newUploadName(dir)
	n, err := r.transfer(ctx, hidden, u)
	if err == nil {
		err = r.verify(ctx, hidden, u, n)
	}
	if err == nil {
		err = r.publish(ctx, hidden, u.name, exists)
	}
	if err != nil && !errors.Is(err, errHalfway) {
		r.discard(ctx, r.url(hidden, false))
	}
	return n, err
}

// finish sets the modification time where the server did not take it with the content.
func (r *Remote) finish(ctx context.Context, u *upload, n int64) (remote.Entry, error) {
	_, base := remote.Split(u.name)
	e := remote.Entry{Name: base, Size: n}
	if u.modTime.IsZero() || r.vendor.modTime == 0 {
		return e, nil
	}
	if !u.kept && r.vendor.patchTime {
		if err := r.setModTime(ctx, u.name, u.modTime); err != nil {
			return remote.Entry{}, fmt.Errorf("the file is stored, but not its modification time: %w", err)
		}
		u.kept = true
	}
	if u.kept {
		e.ModTime = u.modTime.Truncate(time.Second)
	}
	return e, nil
}

// transferDirectly sends the content to its own name. One that has to come from somebody first does
// not hold the name meanwhile: nobody could read the old file then.
func (r *Remote) transferDirectly(ctx context.Context, u *upload) (int64, error) {
	if u.rest == nil {
		release, err := r.names.Change(ctx, u.name)
		if err != nil {
			return 0, err
		}
		defer release()
	}
	return r.transfer(ctx, u.name, u)
}

// transfer sends the content to target and returns its length. It does not return before the body
// is left alone.
func (r *Remote) transfer(ctx context.Context, target string, u *upload) (int64, error) {
	var body *httpclient.Body
	var req *http.Request
	if u.rest == nil {
		req = r.client.Request(ctx, http.MethodPut, r.url(target, false), bytes.NewReader(u.head))
	} else {
		body = httpclient.NewBody(io.MultiReader(bytes.NewReader(u.head), u.rest), u.size)
		req = r.client.Request(ctx, http.MethodPut, r.url(target, false), body)
		req.Header.Set("Expect", "100-continue") // a server that refuses says so before the content is sent
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	if !u.modTime.IsZero() && r.vendor.modTime > 0 {
		req.Header.Set("X-OC-Mtime", strconv.FormatInt(u.modTime.Unix(), 10))
	}
	resp, err := r.client.Do(req)
	if err == nil {
		u.kept = resp.Header.Get("X-OC-Mtime") == "accepted"
		if ok(resp.StatusCode) {
			httpclient.Drain(resp)
		} else {
			err = httpclient.Refused(resp)
		}
	}
	n := int64(len(u.head))
	if body != nil {
		var bodyErr error
		if n, bodyErr = body.End(); bodyErr != nil {
			return n, bodyErr
		}
	}
	if err != nil {
		return n, r.explainNew(ctx, u.name, err)
	}
	return n, nil
}

// verify compares the length of what was stored at target. Some servers behind gateways store
// nothing of a body of unknown length and say that all is well. What went in one piece is not
// doubted.
func (r *Remote) verify(ctx context.Context, target string, u *upload, n int64) error {
	if u.rest == nil {
		return nil
	}
	e, err := r.stat(ctx, target)
	if err != nil {
		return err
	}
	if e.Size != -1 && e.Size != n {
		return fmt.Errorf("the server stored %d bytes of %d", e.Size, n)
	}
	return nil
}
