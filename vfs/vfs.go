// Package vfs makes one tree of files out of a remote, as a client that thinks in paths wants to
// see it.
//
// An FS belongs to the remote and is shared; a View is what one login sees of it. Views differ only
// in the unfinished uploads: those of its own owner a View shows and continues, those of others it
// does not know.
//
//	vfs.go          Options, the FS, and the layers that New puts below it
//	view.go         a View: Stat, List, Remove, Rename, Mkdir, Rmdir; read.go, attr.go, perm.go, info.go
//	create.go       Create: what may be made; continue.go what an upload continues
//	upload.go       an upload under way, until Commit or Abort
//	part.go         unfinished uploads that are shown as files
//	interrupted.go  whose uploads were interrupted, and what for
//	fold.go         names in upper and lower case
//	guard.go        how long a client waits for a remote that gives no sign of life
//	error.go        what a client is told
//
// Without a cache everything is streamed. With one, package writeback shows what the remote will
// have, and Run carries it out there. A View does not know which of the two is below it.
//
// Directories are remembered for a while, unless the remote is as quick as a cache. Besides what
// Run does, no work outlives a call but the uploads that are under way, and the refresh of a
// listing that was shown before it was done.
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
	"ferry/readahead"
	"ferry/remote"
	"ferry/writeback"
)

// Options are what an FS may be told. The zero value serves everything, writable, with permission
// bits of 0.
type Options struct {
	ReadOnly  bool // refuse every change
	NoModTime bool // neither show nor set modification times
	NoSeek    bool // refuse to read from anywhere but the beginning

	Modes    Modes
	UID, GID uint32 // shown as owner and group of everything

	Space Space // what Free is about

	// PartMaxAge is how long an unfinished upload can be continued after its last byte; 0 = for
	// ever.
	PartMaxAge time.Duration

	// DirCacheTime is how long a directory counts as it was listed; 0 = it is always asked for. A
	// remote that is as quick as a cache (Caps.Live) is always asked.
	DirCacheTime time.Duration
	// DirRefreshWait is how long the refresh of a directory that was listed before may take before
	// the old listing is shown and the refresh goes on behind it; 0 = as long as it takes.
	DirRefreshWait time.Duration
	// RemoteWait is how long a question that has another answer (an old listing, what is cached,
	// what waits) waits for the remote; 0 = DefaultRemoteWait. What has no other answer waits for
	// AnswerLimit.
	RemoteWait time.Duration
	// Away says that the remote did not answer a moment ago: what has another answer does not wait
	// for it until it does.
	Away bool
	// Probe asks the remote for a sign of life, whatever it says; nil = its root is looked at.
	Probe func(ctx context.Context) error
	// DirCacheEntries is how many entries of directories are remembered at most; 0 = 500,000. One
	// takes about 150 bytes.
	DirCacheEntries int

	// PollInterval is how often a remote that has to be asked what has changed is asked, as long as
	// Watch runs; 0 = never. One that tells by itself is listened to, or with 0 is not.
	PollInterval time.Duration

	// Reading says how files are read. Its Store is that of Cache, in mode full.
	Reading readahead.Options

	// MayMake returns why a file or directory called name may not be made, nil where it may. It is
	// asked before a byte is taken. Without it everything may.
	MayMake func(ctx context.Context, name string, dir bool) error
	// FoldCase finds a name that does not exist under another spelling in upper and lower case, if
	// there is just one.
	FoldCase bool

	// Cache says what is kept on the local disk, and what is promised of it. Without a Store
	// nothing is: everything is streamed, and an upload is answered when the remote has it.
	Cache writeback.Options

	Log *slog.Logger // nil: nothing is logged
}

// Modes are the permission bits that are shown. A remote that keeps permission bits shows its own,
// except where the value is marked as given; any other remote shows File and Dir without the bits
// of Umask.
type Modes struct {
	File, Dir, Umask                fs.FileMode
	FileGiven, DirGiven, UmaskGiven bool
}

// An FS is the tree. Its methods may be called concurrently.
type FS struct {
	writeback.Pending // what waits for the remote

	remote      remote.Remote
	breaker     *breaker.Breaker // whether the remote answers
	names       *dircache.Tree   // what is remembered of the remote
	reads       *readahead.Tree  // over names; reads files ahead
	interrupted interruptions
	ages        remote.Ages // of unfinished uploads
	began       time.Time
	caps        remote.Caps // of the remote

	top     layer         // what is served
	shown   remote.Remote // top as it is shown: what is remembered of the remote, or the Tree with what waits
	guarded bool          // calls may have to wait for the remote
	stream  streamFunc    // begins an upload where top cannot stage; else nil
	forTree breaker.Limit // of changes that, with a cache, wait until what stands in their way has been sent

	opt Options
}

// streamFunc begins an upload that cannot be continued.
type streamFunc func(ctx context.Context, name string) (remote.Stage, error)

// A layer is what the views are made over: a writeback.Tree, or without a cache a writeback.Direct.
type layer interface {
	remote.Remote
	remote.Stager
	remote.Mover
	writeback.Pending
	LocalParts(dir string) (parts []remote.Entry, others bool)
}

// New returns the tree of r, which stays the caller's to close. It is the top of the layers that it
// makes: what is remembered of r, its files read ahead, and what changes it, with a cache later.
func New(r remote.Remote, o Options) *FS {
	f := &FS{remote: r, caps: r.Info().Caps, opt: o, began: time.Now()}
	f.ages.Began(f.began)
	f.interrupted.began = f.began
	f.breaker = breaker.New(breaker.Options{Wait: o.RemoteWait, Open: o.Away, Probe: f.probe, Log: o.Log})
	f.names = dircache.New(r, f.breaker, dircache.Options{
		Time: o.DirCacheTime, RefreshWait: o.DirRefreshWait, Entries: o.DirCacheEntries, PollInterval: o.PollInterval, Log: o.Log,
	})
	reading, writing := o.Reading, o.Cache
	reading.Log, writing.Log = o.Log, o.Log
	if writing.Mode == writeback.Full {
		reading.Store = writing.Store
	}
	f.reads = readahead.New(f.names, reading)
	if writing.Store != nil {
		over := writeback.New(f.reads.Direct(), f.names, f.breaker, writing)
		f.top, f.shown, f.guarded, f.forTree = over, over, true, breaker.ForLongChange()
	} else {
		direct := writeback.NewDirect(f.reads.Direct(), o.Log)
		f.top, f.shown, f.guarded, f.forTree = direct, f.names, !f.caps.Live, breaker.ForChange()
		if _, stages := remote.AsStager(direct); !stages {
			f.stream = direct.Stream
		}
	}
	f.Pending = f.top
	return f
}

// View returns the tree as owner sees it from no address in particular. Two views of one owner
// share that owner's unfinished uploads.
func (f *FS) View(owner string) *View {
	tag := tagOf(owner)
	return &View{fs: f, user: tag, owner: tag}
}

// ViewFrom returns the tree as user sees it from an address. Views of one user and one address
// share their unfinished uploads, and see those that were left to the user before they belonged to
// an address.
func (f *FS) ViewFrom(user, address string) *View {
	tag := tagOf(user)
	return &View{fs: f, user: tag, owner: tag + tagOf(address)}
}

// tagOf returns the tag that the remote knows somebody by, or half of it.
func tagOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:tagBytes])
}

// tagBytes of a hash make half a tag: too many for a clash, few enough for a file name. userLen is
// how long the half is that says the user.
const (
	tagBytes = 8
	userLen  = 2 * tagBytes
)

// Close ends the listings under way and waits for them. Readers are closed before. The remote is
// the caller's to close.
func (f *FS) Close() error {
	err := errors.Join(f.names.Close(), f.reads.Close())
	f.breaker.Close()
	return err
}

// Forget drops what is remembered of names, of what lies below them, and the listings that they are
// in. Without a name it drops everything.
func (f *FS) Forget(names ...string) { f.names.Forget(names...) }

// Refresh lists dir anew, and with recursive everything below it. It goes on when a directory fails
// and returns the first error.
func (f *FS) Refresh(ctx context.Context, dir string, recursive bool) error {
	return f.names.Refresh(ctx, dir, recursive)
}

// Stats returns what is remembered now.
func (f *FS) Stats() dircache.Stats { return f.names.Stats() }

// Warm lists everything, so that who comes next finds it remembered; see dircache.Tree.Warm.
func (f *FS) Warm(ctx context.Context, parallel int, progress func(dircache.Warmed)) (dircache.Warmed, error) {
	return f.names.Warm(ctx, parallel, progress)
}

// Watch forgets what others change on the remote; see dircache.Tree.Follow.
func (f *FS) Watch(ctx context.Context, settled func()) error { return f.names.Follow(ctx, settled) }

// PollInterval returns how often the remote is asked what has changed; see
// dircache.Tree.PollInterval.
func (f *FS) PollInterval() (time.Duration, error) { return f.names.PollInterval() }

// SetPollInterval changes that; 0 ends the polling.
func (f *FS) SetPollInterval(d time.Duration) error { return f.names.SetPollInterval(d) }

// readOnly reports whether nothing in the tree can be changed.
func (f *FS) readOnly() bool { return f.opt.ReadOnly || f.caps.ReadOnly }
