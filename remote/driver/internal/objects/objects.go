// Package objects makes a tree of files out of an object store, which knows keys only: what is a
// directory, what may replace what, how names become keys, and how an upload ends. A driver brings
// a Store, one method for each request that its service has, and gets a Remote with Mover, Copier,
// ModTimer, Hasher and Stager.
//
// A directory is there as long as a key lies below it. Mkdir stores an empty object whose key ends
// with a slash, the marker, and so does what takes the last key below a directory away: it lives
// until Rmdir. With Config.NoMarkers empty directories are kept in mind instead. A name that is an
// object and a directory is the directory. Where the Store is a Keeper, an upload that was cut is
// kept, and described by a manifest, so that any process that serves the same store continues it.
//
// The files, in the order in which their calls lead:
//
//	objects.go    a Tree and its Config
//	move.go       Move of a file; movedir.go of a directory, each.go object by object
//	stage.go      Stage; write.go Put and the changes of a file
//	hold.go       what a stage does to be kept; continue.go how one is continued
//	dir.go        Mkdir and Rmdir
//	list.go       List
//	parts.go      unfinished uploads: found, listed, swept
//	finished.go   the mark that another process has finished one
//	manifest.go   what describes one; keptindex.go what is known of where they are
//	odd.go        what List cannot show
//	read.go       Stat and Open; question.go whether a directory has the name, too
//	file.go       where an operation on a file begins
//	leave.go      a directory stays when the last file goes
//	marker.go     the object that stands for a directory
//	dirs.go       what is a directory: it is known, or asked for
//	listing.go    what a listing makes known; known.go, kept.go what is remembered
//	pages.go      listings of the store, page by page
//	key.go        the key of a name; names.go how its elements are spelled
//	store.go      what a Tree asks of a Store; keeper.go of one that keeps unfinished uploads
package objects

import (
	"cmp"
	"os"
	"strings"
	"sync/atomic"
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
	// KeepParts keeps uploads that were cut, where the Store is a Keeper.
	KeepParts bool
	// PartMaxAge is how long after its last byte an unfinished upload can be continued; 0 = for
	// ever.
	PartMaxAge time.Duration
	// Tick is how often what was sent of an upload under way is written down; 0 = every 10 seconds.
	Tick time.Duration
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
	keeper  Keeper // nil = unfinished uploads are not kept
	kept    keptIndex
	left    leftHere
	taking  chan struct{} // holds one while an unfinished upload is being taken
	node    string        // this process and tree, as leases have it
	tick    time.Duration // how often what was sent is written down
	refused atomic.Bool   // the store takes no manifest
	dead    atomic.Bool   // see StopNoting
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
	if keeper, ok := store.(Keeper); ok && c.KeepParts {
		t.keeper, t.info.Caps.NoParts = keeper, false
	}
	host, _ := os.Hostname() // for people only
	t.node, t.tick, t.kept.list = host+"/"+newID(), cmp.Or(c.Tick, leaseTick), t.listSlots
	t.taking = make(chan struct{}, 1)
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
