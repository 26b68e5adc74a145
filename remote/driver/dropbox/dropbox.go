// Package dropbox is a remote in a Dropbox account, by the HTTP interface of version 2.
//
// A file shows when it is complete: its content goes to an upload session, which a commit makes a
// file. Changes are made one at a time, as Dropbox locks a whole account for each; commits that
// wait meanwhile are made together. Names are not case-sensitive. A modification time is kept with
// the content and cannot be set afterwards; content that is the same as what is there leaves the
// old time.
//
// Dropbox moves nothing over a file. Where a file is to replace another, Move and Copy are
// ErrUnsupported, so that package remote sends the content once more: that is atomic.
//
// A directory is removed with all that is in it. So the driver looks first; what another program
// stores between that look and the removal goes with it, to what Dropbox keeps of removed files.
//
//	dropbox.go   Options, New, Info
//	put.go       Put; upload.go: the content to a session; commit.go: many sessions to files at once
//	move.go      Move, Copy
//	tree.go      Remove, Mkdir, Rmdir
//	watch.go     Watch
//	list.go      List; read.go: Open; usage.go: Usage
//	stat.go      Stat, and which parents are known
//	name.go      names and paths; metadata.go: what Dropbox says of a file; hash.go: its checksum
//	service.go   requests; doubt.go: lost answers; account.go: on whose behalf requests are made
//	ascii.go     JSON in a header; pace.go: how fast requests are made; errors.go: what answers mean
package dropbox

import (
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"ferry/budget"
	"ferry/remote"
	"ferry/remote/nameenc"
	"ferry/remote/network"
)

// Encoding is how names are written unless Options say otherwise.
const Encoding = nameenc.Slash | nameenc.BackSlash | nameenc.Del | nameenc.RightSpace | nameenc.InvalidUtf8 | nameenc.Dot

const (
	defaultChunk = 48 << 20
	maxChunk     = 150 << 20 // what one request may send
	maxBatch     = 1000      // commits that one request may make
)

// Options are how to reach an account. Tokens is needed.
type Options struct {
	Tokens  oauth2.TokenSource
	Network network.Options
	// Account tells accounts apart in Info, and is not a secret; "" = they are not told apart.
	Account  string
	Endpoint string // of another server with the same interface: https://host:port
	Login    string // the command that logs in again, for errors

	ChunkSize     int64         // content of a request; 0 = 48 MiB
	Unbatched     bool          // each file is committed by a request of its own
	BatchSize     int           // commits of one request at most; 0 = 1000
	BatchTimeout  time.Duration // how long a commit waits for more; 0 = only while another one is made
	RootNamespace string        // namespace that paths are relative to; "" = that of the account
	Impersonate   string        // address or ID (dbmid:) of the member of a team that requests are made for
	AdminID       string        // ID of the administrator of a team that requests are made by

	Encoding nameenc.Encoding // 0 = Encoding; nameenc.Raw for none
}

// Remote is a folder of an account.
type Remote struct {
	opt     Options
	root    string // of the paths in requests: "" or "/a/b", encoded
	place   string
	service *service
	commits *committer
	parents parents
}

// New returns the remote at path: "" is the folder of the account, or of its team where path begins
// with a slash. It makes no request; ctx is not used.
func New(_ context.Context, path string, o Options) (*Remote, error) {
	if o.Encoding == 0 {
		o.Encoding = Encoding
	}
	// Those are never in a name, so that their look-alikes stand for nothing but themselves.
	o.Encoding &^= nameenc.Slash | nameenc.Dot
	if o.Network.Memory == nil {
		o.Network.Memory = budget.New(0)
	}
	if o.ChunkSize == 0 {
		o.ChunkSize = defaultChunk
	}
	if o.BatchSize == 0 {
		o.BatchSize = maxBatch
	}
	switch {
	case o.Tokens == nil:
		return nil, errors.New("dropbox: there is no token: " + o.Login + " logs in")
	case o.ChunkSize < hashBlock || o.ChunkSize > maxChunk:
		return nil, errors.New("dropbox: chunk_size is not between 4Mi and 150Mi")
	case o.BatchSize < 1 || o.BatchSize > maxBatch:
		return nil, errors.New("dropbox: batch_size is not between 1 and 1000")
	}
	o.ChunkSize -= o.ChunkSize % hashBlock
	team := strings.HasPrefix(path, "/") && o.RootNamespace == ""
	path = strings.Trim(path, "/")
	if path != "" && !remote.ValidPath(path) {
		return nil, errors.New("dropbox: the path holds an empty element, or one of dots")
	}
	s, err := newService(o, team)
	if err != nil {
		return nil, err
	}
	r := &Remote{opt: o, service: s, commits: newCommitter(s, o)}
	if path != "" {
		r.root = "/" + o.Encoding.EncodePath(path)
	}
	r.place = "dropbox:" + o.Account + ":" + o.RootNamespace + o.Impersonate + o.AdminID + ":" + path
	r.opt.Network = o.Network
	return r, nil
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info {
	return remote.Info{
		Name:  "dropbox:" + strings.TrimPrefix(r.root, "/"),
		Place: r.place,
		Caps:  remote.Caps{CaseInsensitive: true, MoveDir: true, ModTime: time.Second, MaxName: maxName},
	}
}

// Close implements remote.Remote.
func (r *Remote) Close() error {
	r.service.close()
	return nil
}
