// Package chunker keeps large files of a remote in several: the format of rclone's type of this
// name, which it reads and writes.
//
// A file that is larger than Options.ChunkSize is a small file of its name, the record, and beside
// it the chunks, which nobody sees. The record is the file: whoever replaces it has replaced the
// file in one step, as a mark in the names of its chunks tells those of each content apart. Without
// Options.Marked they are renamed after that, and the record stored anew, unless somebody reads the
// file; where that is cut short, a chunk is found under either name.
//
//	chunker.go   New, Info
//	tree.go      Stat, List, Remove, Mkdir, Rmdir
//	read.go      Open; hold.go: what waits for readers
//	write.go     Put, Copy; settle.go: what comes after; rename.go: a chunk that becomes the file
//	move.go      Move, and what else the remote below can
//	uploads.go   what killed uploads leave
//	find.go      what a name is: a file of the remote below, or a record and its chunks
//	record.go    the record; name.go: the names of chunks
package chunker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"ferry/remote"
	"ferry/remote/driver/internal/namelock"
)

// Options say how large files are written. The zero values are the defaults.
type Options struct {
	ChunkSize  int64  // bytes of a chunk; 0 = 2 GiB
	NameFormat string // of chunks: one * for the name and # for each digit of the number; "" = "*.rclone_chunk.###"
	StartFrom  *int   // number of the first chunk; nil = 1
	// HashType is what records tell: none, md5, sha1, md5all, sha1all, md5quick, sha1quick; "" is
	// md5. With md5all and sha1all each file that is not empty has a record, also a small one.
	HashType  string
	NoRecords bool // chunks have no record; such files can be read, not written
	// Marked leaves the mark in the names of chunks and in the record. Otherwise it goes after the
	// file was stored: then an rclone can read it that renames chunks, too.
	Marked   bool
	FailHard bool // a listing in which chunks are missing is an error
}

const defaultChunkSize = 2 << 30

// Remote is a remote whose large files are in chunks.
type Remote struct {
	below  remote.Remote
	names  format
	chunk  int64
	digest string // of records: "", md5 or sha1
	// recordAll: every file that is not empty has a record, for its checksum.
	recordAll bool
	// renames: a chunk is renamed to be the file. On object stores that is a copy of it.
	renames bool
	o       Options
	info    remote.Info

	mu      sync.Mutex
	writing map[string]int   // guarded by mu; txn of uploads under way, and how many times
	readers map[string]*hold // guarded by mu; by the name of the file
	unsure  map[string]bool  // guarded by mu; files of which a change of chunks may yet arrive
	paths   *namelock.Names  // changes of one file take turns
}

// New returns the remote above below, which it takes over.
func New(below remote.Remote, o Options) (*Remote, error) {
	names, err := parseFormat(o.NameFormat, o.StartFrom)
	if err != nil {
		return nil, err
	}
	r := &Remote{below: below, names: names, chunk: o.ChunkSize, o: o, writing: map[string]int{}, readers: map[string]*hold{}, unsure: map[string]bool{}, paths: namelock.New()}
	if r.chunk == 0 {
		r.chunk = defaultChunkSize
	}
	if r.chunk < 0 {
		return nil, errors.New("chunker: option chunk_size is not a size above 0")
	}
	hashes := []string{"", "md5", "sha1", "md5all", "sha1all", "md5quick", "sha1quick", "none"}
	if !slices.Contains(hashes, o.HashType) {
		return nil, fmt.Errorf("chunker: option hash_type is one of %s", strings.Join(hashes[1:], ", "))
	}
	switch {
	case o.HashType == "" || strings.HasPrefix(o.HashType, "md5"):
		r.digest = "md5"
	case strings.HasPrefix(o.HashType, "sha1"):
		r.digest = "sha1"
	}
	r.recordAll = strings.HasSuffix(o.HashType, "all")
	info := below.Info()
	r.renames = !info.Caps.ImplicitDirs
	r.info = remote.Info{Name: "chunker:" + info.Name, Place: "chunker:" + info.Identity(), Caps: info.Caps}
	r.info.Caps.NoParts = true
	if r.info.Caps.MaxName > 0 {
		r.info.Caps.MaxName = max(1, info.Caps.MaxName-names.longest())
	}
	return r, nil
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info { return r.info }

// Run implements remote.Runner.
func (r *Remote) Run(ctx context.Context) error { return remote.Run(ctx, r.below) }

// Close implements remote.Remote.
func (r *Remote) Close() error { return r.below.Close() }
