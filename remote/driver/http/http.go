// Package http is a read-only remote on a web server: its directories are the pages on which
// Apache, nginx, Caddy and others list what they hold. Any link on such a page that leads one level
// down is an entry.
package http

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
	"ferry/remote/network"
)

// Options say how the server is reached and what is special about it.
type Options struct {
	URL      string // of a directory; a user and a password may stand in front of the host
	Header   http.Header
	NoSlash  bool // links to directories lack the slash: what leads to an HTML page is a directory
	NoHead   bool // do not ask for the size and time of each file of a listing: they are unknown then
	NoEscape bool // names are what stands in the links, percent signs and all, and are sent like that
	// Redirects are hosts besides that of URL to which redirections are followed; "*" is any.
	Redirects []string
	Network   network.Options
}

// Remote is a tree of pages.
type Remote struct {
	base     *url.URL // ends with a slash
	client   *httpclient.Client
	network  network.Options
	noSlash  bool
	noHead   bool
	noEscape bool
}

// New returns the directory path below the URL of the options. It does not connect; an option that
// cannot be right is an error of one line that names it.
func New(_ context.Context, path string, o Options) (*Remote, error) {
	base, user, pass, err := httpclient.ParseBase(o.URL, path)
	if err != nil {
		return nil, fmt.Errorf("http: option url %w", err)
	}
	return &Remote{
		base: base,
		client: httpclient.New(base, httpclient.Options{
			User: user, Pass: pass, Header: o.Header, Redirects: o.Redirects, Network: o.Network,
		}),
		network:  o.Network,
		noSlash:  o.NoSlash,
		noHead:   o.NoHead,
		noEscape: o.NoEscape,
	}, nil
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info {
	return remote.Info{
		Name: r.base.Scheme + ":" + r.base.Host + r.base.Path,
		Caps: remote.Caps{ReadOnly: true, ModTime: time.Second},
	}
}

// Close implements remote.Remote.
func (r *Remote) Close() error {
	r.client.Close()
	return nil
}

// url returns the address of name; the one of a directory ends with a slash.
func (r *Remote) url(name string, dir bool) *url.URL {
	if r.noEscape && name != "." {
		raw := r.base.String() + name
		if dir {
			raw += "/"
		}
		if u, err := url.Parse(raw); err == nil {
			return u
		}
	}
	return httpclient.Below(r.base, name, dir)
}

// Put implements remote.Remote: nothing can be changed.
func (r *Remote) Put(ctx context.Context, name string, _ io.Reader, _ remote.PutOptions) (remote.Entry, error) {
	return remote.Entry{}, refuse(ctx, "put", name)
}

// Remove implements remote.Remote: nothing can be changed.
func (r *Remote) Remove(ctx context.Context, name string) error { return refuse(ctx, "remove", name) }

// Mkdir implements remote.Remote: nothing can be changed.
func (r *Remote) Mkdir(ctx context.Context, dir string) error { return refuse(ctx, "mkdir", dir) }

// Rmdir implements remote.Remote: nothing can be changed.
func (r *Remote) Rmdir(ctx context.Context, dir string) error { return refuse(ctx, "rmdir", dir) }

func refuse(ctx context.Context, op, name string) error {
	err := remote.Check(ctx, name)
	if err == nil {
		err = remote.ErrPermission
	}
	return remote.Fail(op, name, err)
}
