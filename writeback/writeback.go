// Package writeback takes changes in on the local disk, shows them at once, and makes them on the
// remote later, in order.
//
//	writeback.go    Options, the Tree, and what a process takes over from the one before
//	waiting.go      what the Tree says of what waits, and does about it on request
//	direct.go       the same remote without a disk: changes are made before the call returns
//
//	stat.go         what is shown of a name, and open.go, list.go
//	check.go        whether a name can be taken, and what the remote has under it
//	stage.go        an upload to the local disk; commit.go its end
//	passthrough.go  an upload that does not wait, streaming.go one larger than the disk,
//	                stream.go one to a remote that takes whole files only
//	replace.go      how one change takes the place of others; Remove
//	move.go         Move, Mkdir and Rmdir, moved.go and emptied.go; attr.go times and modes
//	late.go         a change of the remote that takes too long waits, away.go how
//
//	pending.go      the tree of changes that wait, over trie.go; change.go is one of them
//	queue.go        in which order they are sent
//	run.go          Run sends them, flush.go at once; apply.go is one attempt
//	refused.go      what the remote does not take, causes.go why sending fails, whole.go
//	doubts.go       changes that were not answered, recheck.go looks at what they may undo
//	noteuploads.go  uploads in parts that a process left on the remote
//
//	pathlock.go     keeps changes apart that would disturb each other
//
// A STOR in mode writes is Tree.Stage, Write on a spool, and its Commit: that takes the lock of the
// path, has the cache make a record of what was written, and puts a change in the tree and in the
// queue. Then the client has its answer. Run finds the change due and applies it.
//
// # Lock order
//
// A call that changes the tree takes the locks of its paths first (Tree.paths), all at once, and
// holds nothing else while it waits for them; then, where a directory is about to be left, that of
// the directory (Tree.emptied). Who holds these may wait for the remote, and for nobody who needs a
// path: an attempt takes none, but what was refused is taken up again under its lock. An upload
// holds its path while it is committed, never while its client sends. What pins a change holds its
// path, and an attempt waits for it before it comes to its end.
//
// Mutexes come last, and one at a time: nobody asks the remote, the cache or package dircache
// holding Tree.mu. Two are nested: a request holds its own while it puts its names in doubt. Both
// may wait for the cache to write or remove a note.
package writeback

import (
	"log/slog"
	"sync"
	"time"

	"ferry/breaker"
	"ferry/cache"
	"ferry/dircache"
	"ferry/remote"
)

// Options are what is kept on the local disk, and what is promised of it.
type Options struct {
	Store *cache.Store // stays the caller's to close
	Mode  Mode
	Ack   Ack

	// WriteBack is how long a file waits until it is sent.
	WriteBack time.Duration
	// Transfers is how many changes are applied on the remote at a time; below 1 it is 1.
	Transfers int

	Log *slog.Logger // nil: nothing is logged
}

// Mode is what goes through the local disk.
type Mode uint8

const (
	Minimal Mode = iota // uploads that continue a file
	Writes              // every upload
	Full                // every upload, and what is read
)

// Ack is what has become of an upload when Commit returns.
type Ack uint8

const (
	AckDurable Ack = iota // it will reach the remote, also after a loss of power
	AckSpooled            // it will reach the remote unless the machine goes down before it is on the disk
	AckRemote             // the remote has it
)

// A Tree is a remote together with what waits to be applied on it: whoever asks the Tree
// sees what the remote will have when nothing waits any more. It can stage everything, as it keeps
// what is written on the local disk.
//
// What waits is changed here at once and survives as a record of the cache. What does not wait is
// changed on the remote, before the call returns. Where such a change concerns something that
// waits, that is sent first.
//
// It has no Unwrap: for package remote it is a driver.
type Tree struct {
	// dependencies
	remote remote.Remote
	stager remote.Stager  // of the remote; nil where it cannot stage
	names  *dircache.Tree // of the remote
	store  *cache.Store
	log    *slog.Logger

	// constant
	info      remote.Info // its own
	caps      remote.Caps // the remote's
	mode      Mode
	ack       Ack
	writeBack time.Duration
	transfers int
	largest   int64 // what is longer than that does not fit the cache; 0 = everything fits

	doubts  *doubts
	uploads *uploadNotes     // in parts
	paths   pathLocks        // of changes of the tree; taken before mu
	emptied pathLocks        // of directories that are to stay when they are empty; taken after paths
	breaker *breaker.Breaker // whether the remote answers
	dirs    seenDirs         // directories that are known to have been there

	mu           sync.Mutex
	pending      *pending           // guarded by mu
	leaving      map[string]int     // guarded by mu; what is leaving a directory, by its key
	recent       recent             // guarded by mu
	queue        queue              // guarded by mu
	running      int                // guarded by mu; attempts under way
	runningLarge int                // guarded by mu; those of them that send large files
	done         uint64             // guarded by mu; changes of the remote so far
	causes       causes             // guarded by mu
	late         []*asked           // guarded by mu; calls that go on behind their records
	refused      map[string]*change // guarded by mu; those that are refused and not dead, by the ID of the record
	wake         chan struct{}      // holds a token when Run has something to look at
}

// New puts what waits in o.Store over below, which is remembered by names; b knows whether it
// answers. They stay the caller's to close.
func New(below remote.Remote, names *dircache.Tree, b *breaker.Breaker, o Options) *Tree {
	log := orDiscard(o.Log)
	uploads := newUploadNotes(o.Store, log)
	r := noted{remote.Forward{Remote: below}, uploads}
	v := &Tree{
		remote: r, uploads: uploads, names: names, breaker: b, store: o.Store, log: log,
		info: r.Info(), caps: r.Info().Caps,
		mode: o.Mode, ack: o.Ack, writeBack: o.WriteBack, transfers: max(o.Transfers, 1),
		wake: make(chan struct{}, 1), causes: causes{}, refused: map[string]*change{}, leaving: map[string]int{},
	}
	if s, ok := remote.AsStager(r); ok {
		v.stager = s
	}
	v.info.Caps.Live = true
	v.info.Caps.NoParts = v.mode == Minimal && !v.remoteKeepsParts()
	if limit := v.store.Stats().Limit; limit > 0 {
		v.largest = max(limit-spoolStep, limit/2)
	}
	v.pending = newPending(v.caps.CaseInsensitive)
	v.doubts = newDoubts(v.store, v.pending.keyOf, v.log)
	for _, rec := range v.store.Pending() {
		c := v.recoveredChange(rec)
		if source := v.pending.own(rec.Source); rec.Kind == cache.Moved && source != nil && source.rec.Kind == cache.Moved {
			c.from = source
		}
		v.pending.add(c)
		v.queue.push(c)
	}
	v.recoverRefused()
	return v
}

func orDiscard(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}

// remoteKeepsParts reports whether the remote itself keeps unfinished uploads.
func (v *Tree) remoteKeepsParts() bool { return v.stager != nil && !v.caps.NoParts }

// Info implements remote.Remote.
func (v *Tree) Info() remote.Info { return v.info }

// Close does nothing: the remote and the cache belong to who made them.
func (v *Tree) Close() error { return nil }

// CheckName implements remote.NameChecker.
func (v *Tree) CheckName(name string) error { return remote.CheckName(v.remote, name) }
