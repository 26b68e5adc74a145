// Package azureblob is a remote in Azure Blob Storage. Names and modification times are written as
// rclone writes them.
//
// List shows the exact modification time of every file at no further request. A name has at most
// 1024 characters and 254 elements in all, the prefix included; control characters, backslashes and
// periods at the end of a name are encoded.
//
// An upload of more than Options.ChunkSize goes in blocks, which the service drops when another
// upload of the same name is committed first: then the slower one fails, and nothing of it is
// published. Blocks that were never committed go by themselves after a week. An upload that was cut
// is continued with them, see package objects.
package azureblob

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"ferry/budget"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/nameenc"
	"ferry/remote/network"
)

const (
	maxKey      = 1024 // characters of a name
	maxElements = 254  // of a name, divided by slashes
)

// Encoding is how names are written unless Options say otherwise.
const Encoding = nameenc.Slash | nameenc.BackSlash | nameenc.Del | nameenc.Ctl | nameenc.RightPeriod |
	nameenc.InvalidUtf8

// Options are how to reach Azure Blob Storage, and how to store there.
type Options struct {
	Account  string
	Network  network.Options
	Endpoint string // "" is https://ACCOUNT.blob.core.windows.net
	Credentials

	ChunkSize       int64  // of a block; 0 = 4 MiB
	Concurrency     int    // blocks of one upload on their way at once; 0 = 16
	ListChunk       int    // entries asked for at a time; 0 = 5000
	AccessTier      string // of new blobs: Hot, Cool, Cold, Archive
	PublicAccess    string // of new containers: blob, container
	DeleteSnapshots string // with a blob: include, only; "" refuses to remove a blob that has some
	DisableChecksum bool   // blobs of several blocks get no MD5

	Encoding   nameenc.Encoding // 0 = Encoding; nameenc.Raw for none
	OddNames   bool             // see objects.Names
	DropParts  bool             // an upload that was cut leaves nothing
	PartMaxAge time.Duration    // for which an unfinished upload can be continued; 0 = for ever

	NoMarkers bool // empty directories are not stored
	// DirMoveLimit is how many objects a directory may hold that is renamed; 0 =
	// objects.DirMoveLimit, below 0 no limit.
	DirMoveLimit int
}

// Remote is a container, a part of one, or all containers of an account.
type Remote struct {
	*objects.Tree
	http *http.Client
}

// New returns the remote at path: "container/directory", "container", or "" for all containers of
// the account. It makes no request; ctx is not used afterwards.
func New(ctx context.Context, path string, o Options) (*Remote, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	path = strings.Trim(path, "/")
	client := &http.Client{Transport: newTransport(o.Network)}
	a, err := connect(client, o)
	if err != nil {
		return nil, err
	}
	if container, _, _ := strings.Cut(path, "/"); a.container != "" && container != a.container {
		return nil, errors.New("azureblob: the sas_url is for the container " + a.container + ": serve a path in it")
	}
	s := &store{account: a, options: o}
	tree := objects.New(s, objects.Config{
		Name:      "azureblob:" + path,
		Place:     "azureblob:" + a.host,
		Root:      path,
		Names:     objects.Names{Encoding: o.Encoding, Odd: o.OddNames},
		Holds:     holds,
		NoMarkers: o.NoMarkers,

		DirMoveLimit: o.DirMoveLimit,
		Buckets:      s,
		Network:      o.Network,
		KeepParts:    !o.DropParts,
		PartMaxAge:   o.PartMaxAge,
	})
	return &Remote{Tree: tree, http: client}, nil
}

// holds reports whether a blob can have that name.
func holds(k objects.Key) bool {
	key := k.Prefix()
	return utf8.RuneCountInString(key) <= maxKey && strings.Count(key, "/") <= maxElements
}

// complete puts the defaults where nothing is set, and refuses what cannot be.
func (o *Options) complete() error {
	if o.Encoding == 0 {
		o.Encoding = Encoding
	}
	// Those are never in a name, so that their look-alikes stand for nothing but themselves.
	o.Encoding &^= nameenc.Slash | nameenc.Dot
	if o.Network.Memory == nil {
		o.Network.Memory = budget.New(0)
	}
	if o.ChunkSize == 0 {
		o.ChunkSize = 4 << 20
	}
	if o.Concurrency == 0 {
		o.Concurrency = 16
	}
	switch {
	case o.ChunkSize < 0 || o.ChunkSize > 4000<<20:
		return errors.New("azureblob: option chunk_size is not between 1 B and 4000Mi")
	case o.Concurrency < 0:
		return errors.New("azureblob: option upload_concurrency is below 1")
	case o.ListChunk < 0 || o.ListChunk > 5000:
		return errors.New("azureblob: option list_chunk is not between 1 and 5000")
	}
	switch o.PublicAccess {
	case "", "blob", "container":
	default:
		return errors.New("azureblob: option public_access is neither blob nor container")
	}
	switch o.DeleteSnapshots {
	case "", "include", "only":
		return nil
	}
	return errors.New("azureblob: option delete_snapshots is neither include nor only")
}

// Close implements remote.Remote.
func (r *Remote) Close() error {
	r.http.CloseIdleConnections()
	return nil
}
