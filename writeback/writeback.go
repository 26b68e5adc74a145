// Package writeback accepts changes on the local disk, shows them at once, and applies them to the
// remote later, in order. The files, in reading order:
//
//	writeback.go    Options, the Tree, and how a process takes over from the one before
//	waiting.go      Pending: what is pending, and what can be done about it
//	unsent.go       the files that the remote does not have, for others to know
//	direct.go       the same remote without a disk: changes are made before the call returns
//
//	stat.go         Stat, Hash and Usage; list.go, open.go
//	stage.go        an upload to the local disk; commit.go: its end
//	passthrough.go  an upload that is never pending; streaming.go: one larger than the disk;
//	                stream.go: one to a remote that cannot stage
//	part.go         unfinished uploads
//	move.go         Move; remove.go; dir.go: Mkdir and Rmdir; attr.go: times and modes
//	emptied.go      keeps a directory that loses its last file
//	late.go         a change of the remote that takes too long becomes a record
//
//	handover.go     pending changes are given to other nodes; takein.go: and taken from them
//
//	run.go          Run starts attempts to apply the pending changes
//	gate.go         how many at a time, over congestion.go: how many a server bears
//	apply.go        one attempt; recheck.go: repairs what a lost request undoes
//	moved.go        renames a file on the remote; send.go: what else an attempt does there
//
//	refused.go      changes that the remote refused
//	check.go        whether a name can be used
//	flush.go        applies changes at once
//	replace.go      how one change supersedes others
//	conflict.go     what others have stored meanwhile; expect.go: how that is told
//	base.go         what the remote has under a name, and which names were changed
//	causes.go       why applying fails; content.go: reading what is sent;
//	                fullsend.go: large files that fail at the end
//
//	doubts.go       changes whose answer was lost
//	queue.go        the order in which changes are applied
//	pathlock.go     serialises conflicting changes
//	tell.go         events about uploads; announce.go: about those that their clients wait for;
//	                settle.go: about those in doubt
//	changes.go      the pending changes at a name; pending.go: the tree of all, over node.go and
//	                trie.go; change.go: one of them
//	noteuploads.go  multipart uploads that a process left on the remote
//
// A STOR in mode writes is Tree.Stage, Write on a spool, and its Commit, which takes the lock of
// the path, makes the spooled data a record of the cache, and adds a pending change to the tree and
// to the queue. Then the client gets its reply. Run applies the change when it is due.
//
// # Lock order
//
// A call that changes the tree first takes the locks of its paths (Tree.paths), all at once, and
// holds nothing else while it waits for them; then, if a directory may become empty, the lock of
// the directory (Tree.emptied). The holder of these may wait for the remote, but not for anything
// that needs a path: an attempt takes no path lock, except that a refused change is revived under
// its lock. An upload holds its path during Commit, never while its client sends. A caller that
// pins a change holds its path, and an attempt waits for the pin before it finishes.
//
// Mutexes come last, and one at a time: the remote, the cache and package dircache are never called
// with Tree.mu held, but Gate.mu is taken under it. Two are nested: a request holds its own mutex
// while it puts its names in doubt. Both may be held while the cache writes or removes a note.
package writeback

import (
	"cmp"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ferry/breaker"
	"ferry/cache"
	"ferry/dircache"
	"ferry/events"
	"ferry/remote"
)

// Options configure a Tree.
type Options struct {
	Store *cache.Store // the caller closes it
	Mode  Mode
	Ack   Ack

	// WriteBack is the delay before a file is sent.
	WriteBack time.Duration
	// Gate bounds how many changes are applied at a time, also by other Trees that have it; nil =
	// one at a time. Server names what the remotes of several Trees have in common, which bears
	// only so much; "" = the remote alone.
	Gate   *Gate
	Server string

	// Conflict says what becomes of files that others store while changes wait here; Node is what
	// this process is called among them, in names of files.
	Conflict Conflict
	Node     string

	Events *events.Stream // of uploads; nil: nobody listens
	Log    *slog.Logger   // nil: nothing is logged
}

// Mode selects what goes through the local disk.
type Mode uint8

const (
	Minimal Mode = iota // uploads that continue a file
	Writes              // every upload
	Full                // every upload and every download
)

// Ack is what a successful Commit promises.
type Ack uint8

const (
	AckDurable Ack = iota // it will reach the remote, also after a loss of power
	AckSpooled            // it will reach the remote unless the machine fails before it is on disk
	AckRemote             // the remote has it
)

// A Tree is a remote overlaid with its pending changes: it shows the state that the remote will
// have when all of them have been applied. It can stage any upload, as it spools to the local disk.
//
// A pending file or directory is changed locally at once, and the change survives as a record of
// the cache. Any other is changed on the remote before the call returns; if pending changes are
// affected, they are applied first.
//
// It has no Unwrap: for package remote it is a driver.
type Tree struct {
	// dependencies
	remote remote.Remote
	stager remote.Stager  // of the remote; nil if it cannot stage
	names  *dircache.Tree // of the remote
	store  *cache.Store
	tell   *teller
	log    *slog.Logger

	// constant
	info      remote.Info // its own
	caps      remote.Caps // the remote's
	mode      Mode
	ack       Ack
	writeBack time.Duration
	gate      *Gate
	server    string
	conflict  Conflict
	node      string
	largest   int64 // largest file that fits the cache; 0 = no limit

	doubts  *doubts
	uploads *uploadNotes     // in parts
	paths   pathLocks        // of changing calls; taken before mu
	emptied pathLocks        // of directories that must stay when they become empty; taken after paths
	breaker *breaker.Breaker // whether the remote answers
	dirs    seenDirs         // directories known to have existed

	conditional atomic.Bool // the remote is not known to lack preconditions

	mu        sync.Mutex
	pending   *pending           // guarded by mu
	leaving   map[string]int     // guarded by mu; number of changes leaving a directory, by its key
	recent    recent             // guarded by mu
	queue     queue              // guarded by mu
	running   int                // guarded by mu; attempts in progress
	suspended int                // guarded by mu; callers that want no attempt to start
	done      uint64             // guarded by mu; changes of the remote so far
	causes    causes             // guarded by mu
	late      []*lateCall        // guarded by mu; calls that outlive their clients
	refused   map[string]*change // guarded by mu; refused and not dead, by the ID of the record
	wake      chan struct{}      // holds a token when Run has work
}

// New returns a Tree over below with the pending changes in o.Store. names caches the directories
// of below, and b is its breaker. The caller closes all of them.
func New(below remote.Remote, names *dircache.Tree, b *breaker.Breaker, o Options) *Tree {
	log := orDiscard(o.Log)
	uploads := newUploadNotes(o.Store, log)
	r := noted{remote.Forward{Remote: below}, uploads}
	v := &Tree{
		remote: r, uploads: uploads, names: names, breaker: b, store: o.Store, log: log,
		info: r.Info(), caps: r.Info().Caps,
		mode: o.Mode, ack: o.Ack, writeBack: o.WriteBack, gate: o.Gate, server: cmp.Or(o.Server, r.Info().Identity()),
		conflict: o.Conflict, node: cmp.Or(o.Node, "ferry"),
		tell: newTeller(o.Events, r, names),
		wake: make(chan struct{}, 1), causes: causes{}, refused: map[string]*change{}, leaving: map[string]int{},
	}
	v.conditional.Store(true)
	if v.gate == nil {
		v.gate = NewGate(1)
	}
	if s, ok := remote.AsStager(r); ok {
		v.stager = s
	}
	v.info.Caps.CheapStat = true
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

// Info implements remote.Remote.
func (v *Tree) Info() remote.Info { return v.info }

// Close does nothing: the caller of New closes the remote and the cache.
func (v *Tree) Close() error { return nil }
