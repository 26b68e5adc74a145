package http

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// Stat implements remote.Remote. The server is asked for name as a file; one that has a directory
// there redirects to the name with a slash.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if err := remote.Check(ctx, name); err != nil {
		return remote.Entry{}, remote.Fail("stat", name, err)
	}
	e, err := r.stat(ctx, name)
	return e, remote.Fail("stat", name, err)
}

func (r *Remote) stat(ctx context.Context, name string) (remote.Entry, error) {
	_, base := remote.Split(name)
	dir := remote.Entry{Name: base, Dir: true, ReadOnly: true}
	if name == "." {
		_, err := r.head(ctx, r.url(name, true))
		return dir, err
	}
	h, err := r.head(ctx, r.url(name, false))
	switch {
	case errors.Is(err, errDirectory):
		return dir, nil
	case err == nil && r.noSlash && isPage(h.header):
		return dir, nil
	case err == nil:
		return h.entry(base), nil
	case !errors.Is(err, remote.ErrNotExist):
		return remote.Entry{}, err
	}
	// Some servers know a directory by its name with the slash alone.
	if h, slashErr := r.head(ctx, r.url(name, true)); slashErr == nil && isPage(h.header) {
		return dir, nil
	}
	if ctx.Err() != nil {
		return remote.Entry{}, context.Cause(ctx)
	}
	return remote.Entry{}, err
}

// errDirectory says that the server redirects to the same name with a slash.
var errDirectory = fmt.Errorf("%w (the server redirects)", remote.ErrIsDir)

// A head is what an answer says of a file.
type head struct {
	header http.Header
	size   int64 // -1 unknown
	silent bool  // nothing is said of the size, not even that it is unknown
}

// head asks what there is at u, by HEAD where the server can do that.
func (r *Remote) head(ctx context.Context, u *url.URL) (head, error) {
	h, err := r.ask(ctx, http.MethodHead, u)
	var status *httpclient.StatusError
	if errors.As(err, &status) && (status.Code == http.StatusMethodNotAllowed || status.Code == http.StatusNotImplemented) {
		return r.ask(ctx, http.MethodGet, u)
	}
	if err == nil && h.silent { // as Apache is of an empty file
		return r.ask(ctx, http.MethodGet, u)
	}
	return h, err
}

func (r *Remote) ask(ctx context.Context, method string, u *url.URL) (head, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the content that a GET brings
	req := r.client.Request(ctx, method, u, nil)
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := r.client.Get(req)
	if err != nil {
		return head{}, err
	}
	defer resp.Body.Close()
	switch {
	case httpclient.IsSlashRedirect(resp):
		return head{}, errDirectory
	case resp.StatusCode != http.StatusOK:
		return head{}, httpclient.Refused(resp)
	}
	silent := resp.ContentLength < 0 && len(resp.TransferEncoding) == 0
	return head{resp.Header, resp.ContentLength, silent}, nil
}

// entry makes an entry of the file called base.
func (h head) entry(base string) remote.Entry {
	e := remote.Entry{Name: base, Size: h.size, ReadOnly: true}
	modified := h.header.Get("Last-Modified")
	if t, err := http.ParseTime(modified); err == nil {
		e.ModTime = t
	}
	e.Version = strings.TrimPrefix(h.header.Get("ETag"), "W/")
	if e.Version == "" && modified != "" && h.size >= 0 {
		e.Version = fmt.Sprintf("%s %d", modified, h.size)
	}
	return e
}

// isPage reports whether the content is HTML.
func isPage(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (kind == "text/html" || kind == "application/xhtml+xml")
}
