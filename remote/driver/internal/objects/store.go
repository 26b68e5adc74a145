package objects

import (
	"context"
	"io"
	"iter"
	"time"

	"ferry/remote"
)

// A Key names an object.
type Key struct {
	Bucket string
	Name   string
}

// An Object is what a store tells of one.
type Object struct {
	Name    string // of its key; of a bucket where buckets are listed
	Size    int64
	ModTime time.Time
	Version string
	Digest  remote.Digest // where the service tells it together with the content
	// TimeKept reports that ModTime was stored with the object, so that a copy has it too.
	TimeKept bool
	Dir      bool // it stands for a directory of that name, by a convention of the service
	// Facts are what else the service keeps with the object, as the store itself likes to have it:
	// a Create that continues the object keeps them. Only Head has to tell.
	Facts any
}

func entry(base string, o Object) remote.Entry {
	if o.Dir {
		return remote.Entry{Name: base, Dir: true}
	}
	return remote.Entry{Name: base, Size: o.Size, ModTime: o.ModTime, Version: o.Version, Digest: o.Digest}
}

// A Page is a piece of a listing, each of its two parts in the order of the names.
type Page struct {
	Objects  []Object
	Prefixes []string // what lies deeper, up to the next slash and with it
	Next     string   // token of the next page; "" after the last
}

// CreateOptions say what an upload begins with. The zero value is an empty one.
type CreateOptions struct {
	// Base is the object that has the key, and is continued: its first Keep bytes stand in front of
	// what is written, and its facts stay. With Keep 0 its content is not looked at.
	Base Object
	Keep int64
	// FactsOf is the key of Base where that is another one; then Keep is 0.
	FactsOf *Key
	// ModTime is what Commit will be given, as far as that is known already; zero = not known, or
	// now.
	ModTime time.Time
	// Size is how many bytes will be written; 0 = it is not known.
	Size int64
	// Only is the version of the object that Commit may replace, "" for none; nil = any. It is
	// remote.ErrChanged where there is another one by then.
	Only *string
}

// A Content is an object that is read.
type Content struct {
	io.ReadCloser
	Object Object // its Version is "" where the service does not say which object is read
}

// A Store keeps objects. Its errors satisfy errors.Is with the sentinels of package remote, or are
// failures on the way; they have no secret in them, and the Tree adds the name. An object or bucket
// that is not there is remote.ErrNotExist.
type Store interface {
	Head(ctx context.Context, k Key) (Object, error)

	// All lists what begins with k.Name at any depth, page by page.
	All(ctx context.Context, k Key) iter.Seq2[Object, error]

	// Open reads n > 0 bytes from off on, or to the end with n < 0. Past the end it gives no byte
	// and no error. Read fails when fewer bytes come than were promised, or when ctx ends.
	Open(ctx context.Context, k Key, off, n int64) (Content, error)

	// Create begins an upload. The requests that the Draft makes for Write run under ctx.
	Create(ctx context.Context, k Key, o CreateOptions) (Draft, error)

	// Copy replaces to with the content and the facts of from, on the far side. It tells the
	// version of the copy, or "". o is what is known of from, maybe nothing. With a version, from
	// must be that one, else Copy is remote.ErrChanged, or remote.ErrNotExist.
	Copy(ctx context.Context, from Key, o Object, to Key) (made string, err error)

	// Delete removes an object. With a version, one of another version stays, and is
	// remote.ErrChanged. One that is not there may be that, too.
	Delete(ctx context.Context, k Key, version string) error
	SetModTime(ctx context.Context, k Key, t time.Time) error

	// Hash returns a digest that the service keeps, or remote.ErrUnsupported.
	Hash(ctx context.Context, k Key, algorithm string) ([]byte, error)
}

// A Pager is a Store that lists page by page. Each Store is that or a Lister.
type Pager interface {
	// Page lists what begins with k.Name, at most limit entries, or as many as the service likes
	// for 0. What lies deeper than the next slash is one prefix. A page may be empty though there
	// are more.
	Page(ctx context.Context, k Key, token string, limit int) (Page, error)
}

// A Lister is a Store that has a way of its own to list.
type Lister interface {
	// Children lists what begins with k.Name in the order of the keys, in pages of limit, or as the
	// Store likes for 0. What lies deeper than the next slash is one object whose Name ends with
	// it.
	Children(ctx context.Context, k Key, limit int) iter.Seq2[Object, error]
}

// A SeenDeleter is a Store whose Delete does not tell whether there was something to delete. So the
// Tree looks before.
type SeenDeleter interface {
	// DeleteSeen is Delete of an object that was there a moment ago, in that version.
	DeleteSeen(ctx context.Context, k Key, version string) error
}

// A Draft is an object that nobody sees before Commit. It is used by one goroutine.
type Draft interface {
	io.Writer

	// Commit publishes it in one step, replacing what has its key. modTime zero = now.
	Commit(ctx context.Context, modTime time.Time) (Object, error)

	// Abort drops what is left of it on the far side, also after a Commit, whether or not that
	// succeeded. The context of Create may have ended.
	Abort()
}

// A RoomyDraft is a Draft that takes what is written into its own memory.
type RoomyDraft interface {
	Draft
	Room() ([]byte, error) // where the next bytes belong; never empty
	Took(n int)            // so many bytes were put there
}

// A LongDraft is a Draft that may have been under way for long.
type LongDraft interface {
	Draft
	// Long reports that Commit is to ask once more for a directory of that name.
	Long() bool
	// Finish begins to send what was written and not sent yet. Commit or Abort comes next.
	Finish() error
}

// Buckets are what a store keeps its objects in.
type Buckets interface {
	PageBuckets(ctx context.Context, token string) (Page, error)
	MakeBucket(ctx context.Context, name string) error
	// RemoveBucket removes an empty one, or fails with remote.ErrNotEmpty.
	RemoveBucket(ctx context.Context, name string) error
}
