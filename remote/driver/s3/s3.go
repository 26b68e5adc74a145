// Package s3 is a remote in a bucket of Amazon S3, or of a server that speaks its protocol.
//
// # What is where
//
// A file is an object; its key is the name, each element spelled as Options.Encoding says. A
// directory exists as long as a key begins with its name and a slash; one that Mkdir made, or that
// was emptied, is an empty object whose key ends in a slash, so that it also exists when nothing is
// in it. A name that is an object and a directory is the directory. The path that New is given is
// "bucket/prefix", or empty: then the buckets are the directories of the root.
//
// # Times
//
// An object that was stored without a modification time has that of its upload, which the server
// keeps. Any other time, set by Put, SetModTime or a move, is kept in the object's metadata as
// "mtime", in seconds since 1970 with decimals, as rclone does. A server does not list metadata,
// except MinIO's; so List shows the time of the upload for objects whose time somebody else set,
// and the time that was set for those of which this Remote has learnt it before. Stat always tells
// the time that was set.
//
// # Uploads
//
// What fits one part (Options.ChunkSize) is one request. Anything longer is a multipart upload,
// with the parts sent while more is coming; it becomes visible in one step. One that is cut is
// kept, if it was begun by Stage, and any process continues it: see package objects, which keeps
// what is too short for a part in an object of its own. Nothing is left of any other that fails.
// Only a process that is killed leaves parts, which nobody sees: the caller can note them
// (remote.WithUploads), AbortUpload removes them, and so does a rule of the bucket for incomplete
// uploads. The signature of each request covers the content, so that what arrives
// damaged is refused. Parts that travel encrypted, or not at all beyond this machine, have a
// checksum instead, where the server knows CRC-32C.
package s3

import (
	"context"
	"path"
	"sync/atomic"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/network"
)

// Remote is a bucket, a part of one, or all buckets.
type Remote struct {
	*objects.Tree
	once      *minio.Core // tries each request once: what can be repeated is repeated by those who call
	again     *minio.Core // repeats requests that failed on the way, for contents that only this package holds
	unsigned  *minio.Core // as again, for objects in one request, which it leaves to a daySigner; nil = they are left to again
	keys      *credentials.Credentials
	transport *network.Transport
	opt       Options
	quirks    quirks
	root      place
	name      string
	noSums    atomic.Bool // the server does not know the checksums of parts
	oneByOne  atomic.Bool // a listing cannot begin in the middle

	precondition atomic.Int32 // what the server makes of a precondition for a removal: notTried, honoured, ignored or refused
	onPut        atomic.Int32 // the same of one for storing an object
	onComplete   atomic.Int32 // the same of one for the end of a multipart upload

	names objects.Names
	times *memo[uint64, setTime] // modification times that were set, by object and content
}

// New returns the remote at path, "bucket/prefix" or empty. It connects to nothing yet. An error is
// one line that names the option that is wrong.
func New(_ context.Context, path string, o Options) (*Remote, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	r := &Remote{
		opt:    o,
		quirks: o.quirks,
		name:   "s3:" + path,
		names:  objects.Names{Encoding: o.Encoding, Odd: o.OddNames},
		times:  newMemo[uint64, setTime](1 << 16),
	}
	var err error
	if r.root, err = o.rootPlace(path); err != nil {
		return nil, err
	}
	if err := r.connect(); err != nil {
		return nil, err
	}
	store := service{r}
	r.Tree = objects.New(store, objects.Config{
		Name:      r.name,
		Place:     "s3:" + r.opt.host,
		Root:      path,
		Names:     r.names,
		Holds:     r.holds,
		HoldsTime: holdsTime,
		Visible:   true,
		ListChunk: r.opt.ListChunk,
		NoMarkers: o.NoMarkers,

		DirMoveLimit: o.DirMoveLimit,
		Buckets:      store,
		Network:      o.Network,
		KeepParts:    !o.DropParts,
		PartMaxAge:   o.PartMaxAge,
		Tick:         o.tick,
	})
	return r, nil
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info {
	info := r.Tree.Info()
	info.Place = "s3:" + r.opt.host + "/" + path.Join(r.root.Bucket, r.root.Name)
	info.Caps.MaxName = r.opt.MaxName
	info.Caps.PartsApart = true
	return info
}

// Close implements remote.Remote.
func (r *Remote) Close() error {
	r.transport.CloseIdleConnections()
	return nil
}
