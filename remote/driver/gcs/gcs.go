// Package gcs is a remote in Google Cloud Storage. Names and modification times are written as
// rclone writes them.
//
// List shows the exact modification time of every file at no further request. A name has at most
// 1024 bytes in all, the prefix included; line ends in it are encoded. Appending to a file is done
// by composing it with what is new, on the far side: the result has no MD5 from then on. An upload
// that was cut is continued in the session that the service has of it, see package objects.
package gcs

import (
	"context"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"ferry/budget"
	"ferry/remote/driver/internal/google"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/nameenc"
	"ferry/remote/network"
)

// maxKey is the longest name of an object, in bytes.
const maxKey = 1024

// Encoding is how names are written unless Options say otherwise.
const Encoding = nameenc.Slash | nameenc.CrLf | nameenc.InvalidUtf8 | nameenc.Dot

// Options are how to reach Google Cloud Storage, and how to store there. Credentials are looked for
// in the order of the fields; where there are none, New fails.
type Options struct {
	Anonymous          bool   // no credentials: public buckets, emulators
	AccessToken        string // short-lived
	ServiceAccountJSON string // the key of a service account, the content of its file
	ServiceAccountFile string
	Tokens             oauth2.TokenSource // of a user; nil = none
	EnvAuth            bool               // what the environment offers: a file, the metadata server

	Network          network.Options
	Endpoint         string // of another server with the same interface: https://host:port
	ProjectNumber    string // to list and make buckets
	UserProject      string // who pays for the requests
	Location         string // of new buckets
	StorageClass     string // of new objects and buckets
	ObjectACL        string // predefined, of new objects
	BucketACL        string // predefined, of new buckets
	BucketPolicyOnly bool   // access is decided by bucket only; no ACL is sent

	Encoding   nameenc.Encoding // 0 = Encoding; nameenc.Raw for none
	OddNames   bool             // see objects.Names
	DropParts  bool             // an upload that was cut leaves nothing
	PartMaxAge time.Duration    // for which an unfinished upload can be continued; 0 = for ever

	NoMarkers bool // empty directories are not stored
	// DirMoveLimit is how many objects a directory may hold that is renamed; 0 =
	// objects.DirMoveLimit, below 0 no limit.
	DirMoveLimit int
}

// Remote is a bucket, a part of one, or all buckets of a project.
type Remote struct {
	*objects.Tree
	service *google.Service
}

// New returns the remote at path: "bucket/directory", "bucket", or "" for all buckets of the
// project. It makes no request; ctx is not used afterwards, except for its values.
func New(ctx context.Context, path string, o Options) (*Remote, error) {
	path = strings.Trim(path, "/")
	if o.Encoding == 0 {
		o.Encoding = Encoding
	}
	// Those are never in a name, so that their look-alikes stand for nothing but themselves.
	o.Encoding &^= nameenc.Slash | nameenc.Dot
	if o.Network.Memory == nil {
		o.Network.Memory = budget.New(0)
	}
	endpoint, host, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	service, err := newService(context.WithoutCancel(ctx), endpoint, o)
	if err != nil {
		return nil, err
	}
	s := &store{service: service, host: host, options: o}
	tree := objects.New(s, objects.Config{
		Name:      "gcs:" + path,
		Place:     "gcs:" + host,
		Root:      path,
		Names:     objects.Names{Encoding: o.Encoding, Odd: o.OddNames},
		Holds:     func(k objects.Key) bool { return len(k.Prefix()) <= maxKey },
		NoMarkers: o.NoMarkers,

		DirMoveLimit: o.DirMoveLimit,
		Buckets:      s,
		Network:      o.Network,
		KeepParts:    !o.DropParts,
		PartMaxAge:   o.PartMaxAge,
	})
	return &Remote{Tree: tree, service: service}, nil
}

// Close implements remote.Remote.
func (r *Remote) Close() error {
	r.service.Client.CloseIdleConnections()
	return nil
}
