// Package hooks tells programs and addresses of what happened. Each event that a hook wants is
// written to an outbox on disk while it is recorded, and stays there until it is delivered.
//
// The files, in reading order:
//
//	hooks.go     Options, and what an Outbox is made of
//	item.go      one event for one hook, in memory; saved.go: on disk
//	queue.go     what waits for one hook, in order
//	open.go      what an earlier process left
//	record.go    Record, Prepare and Withdraw; room.go: what fits
//	settle.go    names that are still changing; renaming.go: renames that may be cut off
//	set.go       which hooks there are
//	run.go       Run: what is due is delivered; attempt.go: one attempt; resolve.go: open questions
//	list.go      what waits, for people: list, retry, drop; status.go: in numbers
package hooks

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ferry/disk"
	"ferry/events"
	"ferry/hooks/journal"
)

// Options of an Outbox. Zero values are replaced by defaults.
type Options struct {
	// Disk opens the directory of the outbox. It is called when there is something to keep.
	Disk func() (disk.Disk, error)

	Limit  int64         // bytes that may wait; DefaultLimit
	Hold   bool          // when they are reached, uploads are refused; else the oldest event is dropped
	Settle time.Duration // default of hooks that do not say it; DefaultSettle
	Source string        // of events: a URI of this server

	// Unsynced reports whether an upload that was stored may be lost with the power itself, and so
	// need not be remembered longer. nil: none may.
	Unsynced func(e *events.Event) bool

	// Resolve finds out whether an upload that was prepared, and neither recorded nor withdrawn,
	// has become true. It may complete e. It is called for what an earlier process left. nil: what
	// is not known has happened.
	Resolve func(ctx context.Context, e *events.Event) (bool, error)

	// Called is told of each call when it is over, by the name of its hook: "ok", "failed", or
	// "dead" if an event is given up with it. nil: nobody is.
	Called func(hook, result string, took time.Duration)

	// Renamed finds out the same about a rename of the file of e to another name on the remote.
	// nil: it was made if that is not known.
	Renamed func(ctx context.Context, e *events.Event, to string) (bool, error)

	Transport http.RoundTripper // nil: over HTTP and TLS as usual
	Log       *slog.Logger      // nil: nothing is logged
}

// Defaults of Options.
const (
	DefaultLimit  = 64 << 20
	DefaultSettle = 2 * time.Second
)

// longestIgnored is how long an upload waits for a name that is told of.
const longestIgnored = 24 * time.Hour

// ErrFull is the answer to an upload whose event has no room in an outbox that holds. It is an
// ENOSPC, too.
var ErrFull error = fullError{}

type fullError struct{}

func (fullError) Error() string {
	return "the outbox of hooks is full: see ferry hooks ls, or raise --outbox-size"
}

func (fullError) Is(target error) bool { return target == syscall.ENOSPC }

var errNotOpen = errors.New("the outbox of hooks is not open")

// An Outbox is a listener that tells hooks. It may be used concurrently.
type Outbox struct {
	o    Options
	log  *slog.Logger
	wake chan struct{} // something may be due earlier

	wants atomic.Uint64 // the events.Set of what Record has a use for

	mu       sync.Mutex
	disk     disk.Disk        // nil until it is needed
	journal  *journal.Journal // nil until it is needed
	queues   map[string]*queue
	order    []*item // all, oldest first; those that are gone are left in it for a while
	left     int     // of order, that are gone
	settling map[owned][]*item
	renaming map[string]renaming // those that are being made, by ID of the event
	nextKey  uint64
	full     time.Time // when it was last said that the outbox is full
	planned  time.Time // when Run looks again at the latest; zero = it does not

	remembered int    // items whose events are in memory
	space      []byte // for what the journal gets; used again
}

var (
	_ events.Listener = (*Outbox)(nil)
	_ events.Preparer = (*Outbox)(nil)
)

// New returns an Outbox without hooks, which opens nothing yet.
func New(o Options) *Outbox {
	if o.Limit <= 0 {
		o.Limit = DefaultLimit
	}
	if o.Settle == 0 {
		o.Settle = DefaultSettle
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Outbox{
		o: o, log: o.Log, wake: make(chan struct{}, 1),
		queues: map[string]*queue{}, settling: map[owned][]*item{}, renaming: map[string]renaming{},
	}
}

// Close closes the file. What waits is in it. Run has returned by then.
func (x *Outbox) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.wants.Store(0)
	for _, q := range x.queues {
		if q.caller != nil {
			q.caller.Close()
		}
	}
	if x.journal == nil {
		return nil
	}
	err := errors.Join(x.journal.Close(), x.disk.Close())
	x.journal, x.disk = nil, nil
	return err
}

// wakeUp has Run look again.
func (x *Outbox) wakeUp() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}
