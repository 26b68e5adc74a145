// Package vfs presents a remote as the tree of files of a path-based client.
//
// An FS belongs to the remote and is shared; a View is one login's view of it. Views differ only in
// unfinished uploads: a View shows and continues those of its own owner, and hides all others. The
// files, in reading order:
//
//	vfs.go          Options, the FS, and the layers that New puts below it
//	view.go         a View: Stat, List, Remove, Rename, Mkdir, Rmdir; read.go, attr.go
//	create.go       Create; continue.go: what an upload continues
//	upload.go       an upload in progress, until Commit or Abort
//	perm.go         which changes are permitted
//	fold.go         names that differ in case alone
//	part.go         unfinished uploads shown as files
//	interrupted.go  which uploads were interrupted, and by whom
//	told.go         which sizes of unfinished uploads clients were told
//	elsewhere.go    files that wait at other nodes
//	info.go         what is shown of a file
//	guard.go        limits for a remote that gives no sign of life
//	error.go        hints for the client
//
// Without a cache everything is streamed. With one, package writeback shows the state that the
// remote will have, and Run applies the pending changes. A View does not know which of the two is
// below it.
//
// Listings are cached for a while, unless the remote is as fast as a cache. Besides Run, no work
// outlives a call except uploads in progress, and the refresh of a listing that was shown before it
// was done.
//
// Errors are *fs.PathError or satisfy errors.Is with the sentinels of package remote. Those that
// the user can do something about have a method Hint() string with a line that says what.
package vfs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"ferry/breaker"
	"ferry/dircache"
	"ferry/events"
	"ferry/readahead"
	"ferry/remote"
	"ferry/writeback"
)

// Options configure an FS. The zero value serves everything, writable, with permission bits of 0.
type Options struct {
	ReadOnly  bool // refuse every change
	NoModTime bool // neither show nor set modification times
	NoSeek    bool // refuse to read from anywhere but the beginning

	Modes    Modes
	UID, GID uint32 // shown as owner and group of everything

	Space Space // overrides the result of Free

	// PartMaxAge is how long an unfinished upload can be continued after its last byte; 0 = for
	// ever.
	PartMaxAge time.Duration

	// DirCacheTime is how long a listing is fresh; 0 = nothing is cached. A remote that is as fast
	// as a cache (Caps.CheapStat) is not cached either.
	DirCacheTime time.Duration
	// DirRefreshWait is how long a caller waits for the refresh of an expired listing. After that
	// it gets the expired listing, and the refresh continues in the background; 0 = callers wait
	// until the refresh is done.
	DirRefreshWait time.Duration
	// RemoteWait is how long a query with a fallback (an old listing, a cached copy, a pending
	// change) waits for the remote; 0 = DefaultRemoteWait. A query without a fallback waits for
	// AnswerLimit.
	RemoteWait time.Duration
	// Away means that the remote did not answer a moment ago: queries with a fallback do not wait
	// for it until it answers.
	Away bool
	// Probe is a cheap call of the remote, for which any answer is a success; nil = a Stat of the
	// root.
	Probe func(ctx context.Context) error
	// DirCacheEntries is the maximum number of cached directory entries; 0 = 500,000. An entry
	// takes about 150 bytes.
	DirCacheEntries int

	// PollInterval is how often a remote that must be polled for changes is polled while Watch
	// runs; 0 = never. If the remote sends notifications, any interval above 0 turns them on.
	PollInterval time.Duration

	// Reading configures how files are read. In mode full its Store is that of Cache.
	Reading readahead.Options

	// AllowCreate returns an error if a file or directory called name may not be created. It is
	// called before a byte is accepted. nil allows everything.
	AllowCreate func(ctx context.Context, name string, dir bool) error
	// FoldCase makes a name that does not exist refer to the only existing name that differs in
	// case alone.
	FoldCase bool

	// Cache configures the cache on the local disk. Without a Store there is none: everything is
	// streamed, and an upload is acknowledged when the remote has it.
	Cache writeback.Options

	// Elsewhere knows the files that wait at other nodes: they are shown, and cannot be read. nil =
	// there are no other nodes.
	Elsewhere Elsewhere

	Events *events.Stream // of uploads; nil: nobody listens
	Log    *slog.Logger   // nil: nothing is logged
}

// Modes are the permission bits that are shown. A remote that keeps permission bits shows its own,
// except where a value is marked as given; any other remote shows File and Dir without the bits of
// Umask.
type Modes struct {
	File, Dir, Umask                fs.FileMode
	FileGiven, DirGiven, UmaskGiven bool
}

// An FS is the tree. Its methods may be called concurrently.
type FS struct {
	writeback.Pending // the pending changes

	remote      remote.Remote
	breaker     *breaker.Breaker // whether the remote answers
	names       *dircache.Tree   // cached directories of the remote
	reads       *readahead.Tree  // over names; reads ahead
	interrupted interruptions
	told        told
	ages        remote.Ages // of unfinished uploads
	began       time.Time
	caps        remote.Caps // of the remote

	top     layer         // the layer that is served
	shown   remote.Remote // serves queries: the cached directories, or with a cache top, which has pending changes
	guarded bool          // calls may have to wait for the remote
	stream  streamFunc    // starts an upload if top cannot stage; else nil
	forTree breaker.Limit // of changes that, with a cache, may have to wait until conflicting changes were sent

	opt Options
}

// A streamFunc starts an upload that cannot be continued.
type streamFunc func(ctx context.Context, name string, fresh bool) (remote.Stage, error)

// A layer is the remote below the views: a writeback.Tree, or without a cache a writeback.Direct.
type layer interface {
	remote.Remote
	remote.Stager
	remote.Mover
	MoveNew(ctx context.Context, from, to string) error
	writeback.Pending
	Stored(ctx context.Context, e events.Event) (bool, error)
	LocalParts(dir string) (parts []remote.Entry, others bool)
}

// New returns the tree of r, which the caller closes. It stacks the layers over r: cached
// directories, readahead, and writeback, direct or through a cache.
func New(r remote.Remote, o Options) *FS {
	f := &FS{remote: r, caps: r.Info().Caps, opt: o, began: time.Now()}
	f.ages.Began(f.began)
	f.interrupted.began = f.began
	f.breaker = breaker.New(breaker.Options{Wait: o.RemoteWait, Open: o.Away, Probe: f.probe, Log: o.Log})
	f.names = dircache.New(r, f.breaker, dircache.Options{
		Time: o.DirCacheTime, RefreshWait: o.DirRefreshWait, Entries: o.DirCacheEntries, PollInterval: o.PollInterval, Log: o.Log,
	})
	reading, writing := o.Reading, o.Cache
	reading.Log, writing.Log, writing.Events = o.Log, o.Log, o.Events
	if writing.Mode == writeback.Full {
		reading.Store = writing.Store
	}
	f.reads = readahead.New(f.names, reading)
	if writing.Store != nil {
		over := writeback.New(f.reads.Direct(), f.names, f.breaker, writing)
		f.top, f.shown, f.guarded, f.forTree = over, over, true, breaker.ForLongChange()
	} else {
		direct := writeback.NewDirect(f.reads.Direct(), writeback.DirectOptions{Names: f.names, Events: o.Events, Log: o.Log})
		f.top, f.shown, f.guarded, f.forTree = direct, f.names, !f.caps.CheapStat, breaker.ForChange()
		if _, stages := remote.AsStager(direct); !stages {
			f.stream = direct.Stream
		}
	}
	f.Pending = f.top
	return f
}

// WriteBack returns what keeps the pending changes, nil without a cache.
func (f *FS) WriteBack() *writeback.Tree {
	v, _ := f.top.(*writeback.Tree)
	return v
}

// Place returns what identifies the remote among all others; see events.Event.Place.
func (f *FS) Place() string { return f.remote.Info().Identity() }

// Stored reports whether the remote has the file of e, an UploadStored that a process prepared that
// was killed before it could record or withdraw it. An error means that this cannot be known now,
// or that e is about another remote: ErrInvalid. It is asked before clients change the tree.
func (f *FS) Stored(ctx context.Context, e events.Event) (bool, error) { return f.top.Stored(ctx, e) }

// View returns the tree as owner sees it from no address in particular. Two views of one owner
// share that owner's unfinished uploads.
func (f *FS) View(owner string) *View {
	tag := tagOf(owner)
	return &View{fs: f, user: tag, owner: tag}
}

// ViewFrom returns the tree as user sees it from an address. Views of one user and one address
// share their unfinished uploads, and see those that the user left when parts did not yet belong to
// an address.
func (f *FS) ViewFrom(user, address string) *View {
	tag := tagOf(user)
	return &View{fs: f, user: tag, owner: tag + tagOf(address)}
}

// tagOf returns the tag of an owner on the remote, or half of it.
func tagOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:tagBytes])
}

// tagBytes of a hash make half a tag: enough to avoid collisions, few enough for a file name.
// userLen is the length of the half that identifies the user.
const (
	tagBytes = 8
	userLen  = 2 * tagBytes
)

// Close cancels listings in progress and waits for their end. Readers must be closed before. The
// caller closes the remote.
func (f *FS) Close() error {
	err := errors.Join(f.names.Close(), f.reads.Close())
	f.breaker.Close()
	return err
}

// Forget drops names, everything below them, and the listings that contain them from the directory
// cache. Without a name it drops everything.
func (f *FS) Forget(names ...string) { f.names.Forget(names...) }

// Refresh lists dir again, and with recursive all directories below it. It continues when a
// directory fails, and returns the first error.
func (f *FS) Refresh(ctx context.Context, dir string, recursive bool) error {
	return f.names.Refresh(ctx, dir, recursive)
}

// Stats returns the current size of the directory cache.
func (f *FS) Stats() dircache.Stats { return f.names.Stats() }

// Remote returns what the remote is.
func (f *FS) Remote() remote.Info { return f.remote.Info() }

// Reads returns numbers of what was read through copies on disk.
func (f *FS) Reads() readahead.Stats { return f.reads.Stats() }

// Answers reports whether the remote responds, as far as the last calls tell; it asks nothing.
func (f *FS) Answers() bool { return f.breaker.Answers() }

// Responded notes that the remote has responded to somebody who asks it past this tree: what was
// taken to be away (Options.Away) is not.
func (f *FS) Responded() { f.breaker.Reset() }

// Warm fills the directory cache; see dircache.Tree.Warm.
func (f *FS) Warm(ctx context.Context, parallel int, progress func(dircache.Warmed)) (dircache.Warmed, error) {
	return f.names.Warm(ctx, parallel, progress)
}

// Watch invalidates what others change on the remote; see dircache.Tree.Follow.
func (f *FS) Watch(ctx context.Context, settled func()) error { return f.names.Follow(ctx, settled) }

// PollInterval returns how often the remote is polled for changes; see dircache.Tree.PollInterval.
func (f *FS) PollInterval() (time.Duration, error) { return f.names.PollInterval() }

// SetPollInterval changes the interval; 0 stops the polling.
func (f *FS) SetPollInterval(d time.Duration) error { return f.names.SetPollInterval(d) }
