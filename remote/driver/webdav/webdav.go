// Package webdav is a remote on a WebDAV server (RFC 4918): Apache, Nextcloud, ownCloud, and
// whatever else speaks it.
//
// A PUT is not atomic by the standard, and many servers write into the file that is being replaced.
// So an upload goes to a hidden temporary name in the same directory and is then renamed with MOVE,
// unless the server is known to publish a PUT only when it is complete. Some servers delete the old
// file before they rename the new one; a reader of this Remote that meets that gap waits for its
// end. Programs that use the server beside ferry may see it.
//
// DELETE takes whole trees. Where the contract wants a file or an empty directory, the driver looks
// first. Between that look and the request no call of this Remote comes; another program could.
package webdav

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
	"ferry/remote/driver/internal/namelock"
	"ferry/remote/nameenc"
	"ferry/remote/network"
)

// Options say how the server is reached and what it is. The zero value is fine for a server that
// wants no password.
type Options struct {
	URL          string // of a directory: https://example.com/remote.php/dav/files/me
	Vendor       string // nextcloud, owncloud, infinitescale, fastmail, rclone or other; "" = other
	User, Pass   string
	BearerToken  string
	TokenCommand []string // a program and its arguments that prints the bearer token
	Header       http.Header
	UnixSocket   string
	KeepAuth     bool // prove who is asking to hosts that the server redirects to, too
	// Redirects are hosts besides that of URL to which redirections of downloads are followed; "*"
	// is any.
	Redirects []string
	// AtomicPut reports that the server publishes a PUT only when all of it has arrived. nil = as
	// the vendor is known.
	AtomicPut     *bool
	ChunkSize     int              // how much Nextcloud gets at once of a longer file; 0 = 10 MiB; below 0 all of it
	ExcludeShares bool             // leave out what others share with the user (ownCloud, Nextcloud)
	ExcludeMounts bool             // leave out storages mounted into the tree (ownCloud, Nextcloud)
	Encoding      nameenc.Encoding // what is encoded in names; 0 = nothing
	Network       network.Options
}

// Remote is a directory on a WebDAV server.
type Remote struct {
	base          *url.URL // ends with a slash
	client        *httpclient.Client
	network       network.Options
	vendor        vendor
	excludeShares bool
	excludeMounts bool
	encoding      nameenc.Encoding
	chunks        *url.URL // where Nextcloud takes files in chunks; nil elsewhere
	chunkSize     int
	names         *namelock.Names
	replaced      atomic.Uint64 // how many files were replaced by MOVE
	ages          remote.Ages
}

// New returns the directory at the path below, from the URL of the options on. It does not connect;
// an option that cannot be right is an error of one line that names it.
func New(_ context.Context, below string, o Options) (*Remote, error) {
	base, user, pass, err := httpclient.ParseBase(o.URL, encode(o.Encoding, below))
	if err != nil {
		return nil, fmt.Errorf("webdav: option url %w", err)
	}
	v, err := findVendor(o.Vendor)
	if err != nil {
		return nil, err
	}
	if o.AtomicPut != nil {
		v.atomicPut = *o.AtomicPut
	}
	if o.User == "" && o.Pass == "" {
		o.User, o.Pass = user, pass
	}
	r := &Remote{
		base:          base,
		network:       o.Network,
		vendor:        v,
		excludeShares: o.ExcludeShares,
		excludeMounts: o.ExcludeMounts,
		encoding:      o.Encoding,
		names:         namelock.New(),
	}
	r.ages.Began(time.Now())
	if r.chunkSize = cmp.Or(o.ChunkSize, defaultChunk); r.chunkSize > 0 && o.Vendor == "nextcloud" {
		r.chunks = chunksURL(base)
	}
	r.client = httpclient.New(base, httpclient.Options{
		User: o.User, Pass: o.Pass, Token: o.BearerToken, TokenCommand: o.TokenCommand, Header: o.Header,
		UnixSocket: o.UnixSocket, KeepAuth: o.KeepAuth, Redirects: o.Redirects, Network: o.Network, Harmless: r.harmless,
	})
	return r, nil
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info {
	return remote.Info{Name: "webdav:" + r.base.Host + r.base.Path, Caps: remote.Caps{
		MoveDir: true,
		ModTime: r.vendor.modTime,
		MaxName: maxName,
	}}
}

// Close implements remote.Remote.
func (r *Remote) Close() error {
	r.client.Close()
	return nil
}

// harmless reports whether nobody sees what a request does: it makes or removes a hidden upload, or
// chunks of one. To move it is what makes it visible.
func (r *Remote) harmless(q *http.Request) bool {
	at := q.URL
	if q.Method == "COPY" {
		var err error
		if at, err = url.Parse(q.Header.Get("Destination")); err != nil {
			return false
		}
	}
	chunk := r.chunks != nil && strings.HasPrefix(at.Path, r.chunks.Path)
	return q.Method != "MOVE" && (chunk || isUpload(decode(r.encoding, path.Base(at.Path))))
}
