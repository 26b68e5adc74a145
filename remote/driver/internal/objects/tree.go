package objects

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"ferry/remote"
	"ferry/remote/network"
	"ferry/remote/partname"
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
	// DirMoveLimit is how many objects a directory may hold that is moved; see MoveDir.
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
	t.dirs = NewDirs(asker{t}, Key{t.bucket, t.prefix}, !c.NoMarkers)
	t.ages.Began(time.Now())
	return t
}

// Store returns what the tree lies in.
func (t *Tree) Store() Store { return t.bare }

// Dirs returns what is known of the directories.
func (t *Tree) Dirs() *Dirs { return t.dirs }

// Info implements remote.Remote.
func (t *Tree) Info() remote.Info { return t.info }

// key is what every operation begins with: it refuses names that are not valid or cannot be held.
func (t *Tree) key(ctx context.Context, op, name string) (Key, error) {
	if !remote.ValidPath(name) {
		return Key{}, fail(ctx, op, name, remote.ErrInvalid)
	}
	if ctx.Err() != nil {
		return Key{}, fail(ctx, op, name, context.Cause(ctx))
	}
	k := Key{Bucket: t.bucket, Name: t.prefix}
	if name == "." {
		return k, nil
	}
	rest := name
	if t.bucket == "" {
		k.Bucket, rest, _ = strings.Cut(name, "/")
		if rest == "" && t.config.Holds(k) {
			return k, nil
		}
	}
	path, err := t.names.Path(rest)
	if err == nil && !t.holds(rest, Key{k.Bucket, k.Name + path}) {
		err = remote.ErrBadName
	}
	if err != nil {
		return Key{}, fail(ctx, op, name, err)
	}
	k.Name += path
	return k, nil
}

// CheckName implements remote.NameChecker.
func (t *Tree) CheckName(name string) error {
	_, err := t.key(context.Background(), "checkname", name)
	return err
}

// holds reports whether the store can hold name as k, and the marker of a directory of that name.
func (t *Tree) holds(name string, k Key) bool {
	for elem := range strings.SplitSeq(name, "/") {
		if t.hides(elem) {
			return false
		}
	}
	return t.config.Holds(k)
}

// hides reports whether an object called elem is no file, but part of an upload.
func (t *Tree) hides(elem string) bool { return !t.config.Visible && partname.Hidden(elem) }

// isRoot reports whether k is the root of the tree.
func (t *Tree) isRoot(k Key) bool { return k.Bucket == t.bucket && k.Name == t.prefix }

// isBucket reports whether k is a bucket as a directory, which is no object and has no marker.
func (t *Tree) isBucket(k Key) bool { return t.bucket == "" && k.Name == "" }

// file is key for an operation that concerns a file that is there.
func (t *Tree) file(ctx context.Context, op, name string) (Key, error) {
	k, err := t.key(ctx, op, name)
	if err != nil || !t.isRoot(k) && !t.isBucket(k) {
		return k, err
	}
	if t.isBucket(k) || op == "open" {
		err = t.reach(ctx, k)
	}
	if err == nil {
		err = remote.ErrIsDir
	}
	return k, fail(ctx, op, name, err)
}

// Key returns the key of a name, as every operation that begins with the name sees it.
func (t *Tree) Key(ctx context.Context, op, name string) (Key, error) { return t.key(ctx, op, name) }

// target is key for an operation that stores a file.
func (t *Tree) target(ctx context.Context, op, name string) (Key, error) {
	k, err := t.file(ctx, op, name)
	if err == nil && !k.HasObject() {
		err = fail(ctx, op, name, ErrNoObject)
	}
	if t.isBucket(k) && errors.Is(err, remote.ErrNotExist) {
		err = fail(ctx, op, name, errBesideBuckets)
	}
	return k, err
}

// errBesideBuckets refuses a file beside the buckets, where there are only directories.
var errBesideBuckets error = besideError{}

type besideError struct{}

func (besideError) Error() string { return "files are kept in buckets only, make a directory first" }

func (besideError) Unwrap() []error { return []error{remote.ErrPermission, remote.ErrIsDir} }

// inside returns the beginning of the keys in the directory k.
func (t *Tree) inside(k Key) Key {
	if !t.isRoot(k) {
		k.Name = k.Prefix()
	}
	return k
}

// fail wraps err, unless it is nil. When ctx has ended, that is the reason.
func fail(ctx context.Context, op, name string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}
