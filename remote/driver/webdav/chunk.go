package webdav

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// defaultChunk is what Nextcloud's own clients begin with.
const defaultChunk = 10 << 20

// chunksURL returns where Nextcloud takes the chunks of files of the user whose files are at base,
// or nil when base is not such a place: .../remote.php/dav/files/USER/... becomes
// .../remote.php/dav/uploads/USER/.
func chunksURL(base *url.URL) *url.URL {
	const files = "/remote.php/dav/files/"
	i := strings.Index(base.Path, files)
	if i < 0 {
		return nil
	}
	user, _, _ := strings.Cut(base.Path[i+len(files):], "/")
	if user == "" {
		return nil
	}
	u := *base
	u.Path = base.Path[:i] + "/remote.php/dav/uploads/" + user + "/"
	u.RawPath = httpclient.Escape(u.Path)
	return &u
}

// putChunks sends a long file in chunks to a directory of its own, outside of the tree. Nextcloud
// makes the file of them in one step, and keeps what belongs to an old one: shares, comments,
// versions.
//
// https://docs.nextcloud.com/server/latest/developer_manual/client_apis/WebDAV/chunking.html
func (r *Remote) putChunks(ctx context.Context, u *upload) (int64, error) {
	if err := r.mayPut(ctx, u.name); err != nil {
		return 0, err
	}
	dir := httpclient.Below(r.chunks, "ferry-"+rand.Text(), true)
	to := r.url(u.name, false).String()
	if _, err := r.send(ctx, "MKCOL", dir, "Destination", to); err != nil {
		return 0, fmt.Errorf("beginning an upload in chunks: %w", err)
	}
	n, err := r.sendChunks(ctx, dir, to, u)
	if err == nil {
		err = r.assemble(ctx, dir, to, u, n)
	}
	if err != nil {
		r.discard(ctx, dir)
	}
	return n, err
}

// mayPut finds out whether there is a directory for name, before all the chunks are sent.
func (r *Remote) mayPut(ctx context.Context, name string) error {
	dir, _ := remote.Split(name)
	parent, err := r.stat(ctx, dir)
	if err == nil && !parent.Dir {
		err = remote.ErrNotDir
	}
	return err
}

// sendChunks sends the content and returns its length.
func (r *Remote) sendChunks(ctx context.Context, dir *url.URL, to string, u *upload) (int64, error) {
	chunk, n := u.head, int64(0)
	var end error
	for i := 1; len(chunk) > 0; i++ {
		n += int64(len(chunk))
		if u.size > 0 && n > u.size {
			return n, remote.CheckSize(n, u.size)
		}
		sent := u.memory.Sent()
		req := r.client.Request(ctx, http.MethodPut, httpclient.Below(dir, fmt.Sprintf("%05d", i), false), bytes.NewReader(chunk))
		req.Header.Set("Content-Type", "application/octet-stream")
		req.Header.Set("Destination", to)
		resp, err := r.client.Do(req)
		sent()
		if err != nil {
			return n, err
		}
		if !ok(resp.StatusCode) {
			return n, httpclient.Refused(resp)
		}
		httpclient.Drain(resp)
		if end != nil {
			break
		}
		if err := u.memory.Collect(ctx, int64(r.chunkSize)); err != nil {
			return n, err
		}
		if chunk, end = httpclient.ReadChunk(u.rest, chunk[:0], r.chunkSize); end != nil && end != io.EOF {
			return n, end
		}
	}
	return n, remote.CheckSize(n, u.size)
}

// assemble makes the file of its chunks. A directory that has appeared under its name meanwhile
// stays.
func (r *Remote) assemble(ctx context.Context, dir *url.URL, to string, u *upload, n int64) error {
	release, err := r.names.Change(ctx, u.name)
	if err != nil {
		return err
	}
	defer release()
	if e, err := r.stat(ctx, u.name); err == nil && e.Dir {
		return remote.ErrIsDir
	}
	req := r.client.Request(ctx, "MOVE", httpclient.Below(dir, ".file", false), nil)
	req.Header.Set("Destination", to)
	req.Header.Set("Overwrite", "T")
	req.Header.Set("OC-Total-Length", strconv.FormatInt(n, 10))
	if !u.modTime.IsZero() {
		req.Header.Set("X-OC-Mtime", strconv.FormatInt(u.modTime.Unix(), 10))
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	u.kept = resp.Header.Get("X-OC-Mtime") == "accepted"
	if !ok(resp.StatusCode) {
		return r.explainNew(ctx, u.name, httpclient.Refused(resp))
	}
	httpclient.Drain(resp)
	return nil
}
