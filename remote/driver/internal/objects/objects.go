// Package objects makes a tree of files out of an object store, which knows keys only: what is a
// directory, what may replace what, how names become keys, and how an upload ends. A driver brings
// a Store, one method for each request that its service has, and gets a Remote with Mover, Copier,
// ModTimer, Hasher and Stager.
//
// A directory is there as long as a key lies below it. Mkdir stores an empty object whose key ends
// with a slash, the marker, and so does what takes the last key below a directory away: it lives
// until Rmdir. With Config.NoMarkers empty directories are kept in mind instead. A name that is an
// object and a directory is the directory. Unfinished uploads are never kept.
//
// The files, in the order in which their calls lead:
//
//	objects.go    a Tree and its Config
//	move.go       Move of a file; movedir.go of a directory, each.go object by object
//	stage.go      Stage; write.go Put and the changes of a file
//	dir.go        Mkdir and Rmdir
//	list.go       List
//	odd.go        what List cannot show
//	read.go       Stat and Open; question.go whether a directory has the name, too
//	file.go       where an operation on a file begins
//	leave.go      a directory stays when the last file goes
//	marker.go     the object that stands for a directory
//	dirs.go       what is a directory: it is known, or asked for
//	listing.go    what a listing makes known; known.go, kept.go what is remembered
//	pages.go      listings of the store, page by page
//	key.go        the key of a name; names.go how its elements are spelled
//	store.go      what a Tree asks of a Store
package objects

import (
	"strings"
	"time"

	"ferry/remote"
	"ferry/remote/network"
)

// Config says how a tree lies in a store.
type Config struct {
	Name      string // of the remote, for people: "gcs:bucket/prefix"
	Place     string // of the store itself, to tell it from others: "gcs:host"
	Root      string // "bucket/prefix", "bucket", or "" for a tree whose top directories are the buckets
	Names     Names
	Holds     func(k Key) bool     // whether a name is not too long, or has another fault
	HoldsTime func(time.Time) bool // nil: in a year of four digits
	Visible   bool                 // the store keeps nothing in hidden objects: they are files as any other
	ListChunk int                  // how many names are asked for at once at most; 0 = no limit
	NoMarkers bool                 // Mkdir stores nothing
	// DirMoveLimit is how many objects a directory may hold that is moved; 0 = DirMoveLimit, below
	// 0 = no limit.
	DirMoveLimit int
	Buckets      Buckets
	Network      network.Options // for what bounds a listing
}

// A Tree is a remote.Remote over a Store. What embeds it adds Close.
type Tree struct {
	store   Store // of objects that can be there
	bare    Store
	names   Names
	buckets Buckets
	info    remote.Info
	config  Config
	bucket  string // "" where the top directories are the buckets
	prefix  string // of every key: "" or one that ends with a slash
	dirs    *Dirs
	ages    remote.Ages
}

// New returns the tree that c describes. It makes no request.
func New(store Store, c Config) *Tree {
	bucket, prefix, _ := strings.Cut(strings.Trim(c.Root, "/"), "/")
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix = c.Names.Encoding.EncodePath(prefix) + "/"
	}
	t := &Tree{
		store:   onlyObjects{store},
		bare:    store,
		names:   c.Names,
		buckets: c.Buckets,
		config:  c,
		bucket:  bucket,
		prefix:  prefix,
		info: remote.Info{Name: c.Name, Place: c.Place + "/" + strings.Trim(c.Root, "/"), Caps: remote.Caps{
			ImplicitDirs: true,
			MoveDir:      true,
			ModTime:      time.Nanosecond,
			NoParts:      true,
		}},
	}
	t.dirs = newDirs(t)
	t.ages.Began(time.Now())
	return t
}

// Store returns what the tree lies in.
func (t *Tree) Store() Store { return t.bare }

// Dirs returns what is known of the directories.
func (t *Tree) Dirs() *Dirs { return t.dirs }

// Info implements remote.Remote.
func (t *Tree) Info() remote.Info { return t.info }
