// Package feed makes remotes tell of changes that nobody tells them of: object stores send
// notifications of their buckets to a queue, a stream or an address, and a Feed brings what came
// there to all the remotes of a process that show those buckets.
//
// A notification only has what is remembered forgotten: the remote is asked for what is there. So
// it does no harm that they come late, more than once, or in another order than they happened. What
// must not be is that one is missed and nobody notices: whenever that may have been, everything is
// told to have changed, and while a source cannot be reached that is told every AwayTime. The
// files, in reading order:
//
//	feed.go    a Feed: it listens to a Source, and applies what comes
//	set.go     the feeds of a process, and the decorator of remotes
//	watch.go   what one remote has not been told yet
//	newest.go  which notice of a key was the newest
//	url.go     how a feed is written
package feed

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/notice"
)

// A Source is where notifications come from.
type Source interface {
	// Listen brings what is told from now on to f, until ctx ends or the source cannot be reached,
	// and returns why. It calls f.Begun when it listens, and f.Take for each message; what there is
	// to acknowledge is acknowledged afterwards. It is called again by the same goroutine.
	Listen(ctx context.Context, f *Feed) error
}

// A Message is what came from a Source.
type Message struct {
	Body       []byte
	Attributes map[string]string // of Google Pub/Sub; nil elsewhere
}

// AwayTime is how long a remote remembers what it was not told of for sure: while a source is away,
// everything may have changed that often.
const AwayTime = 5 * time.Minute

// Options configure a Feed.
type Options struct {
	Kind    string   // of the source, in one word
	Name    string   // for the log; it holds no secret
	Buckets []string // that the notifications are about; none = any
	Log     *slog.Logger
}

// A Feed brings notifications to remotes. Its methods may be called concurrently.
type Feed struct {
	source Source
	opt    Options

	mu       sync.Mutex
	up       bool               // guarded by mu; it listens
	told     bool               // guarded by mu; that it does not was logged
	unread   bool               // guarded by mu; a message that could not be read was logged
	watchers map[*watching]bool // guarded by mu
	newest   newest             // guarded by mu
	status   Status             // guarded by mu
}

// A Status is what has come of a Feed.
type Status struct {
	Kind, Name string
	Up         bool          // it listens
	Away       time.Time     // since when it does not, as far as that has shown; zero = it does
	Problem    string        // why it does not
	Lag        time.Duration // from the event that was told last until it was applied
	Last       time.Time     // when that event happened; zero = there was none with a time
	Gaps       uint64        // times that something may have been missed
	Results    [len(results)]uint64
}

// A Result is what came of a notification.
type Result int

const (
	Applied    Result = iota // a remote has been told
	Older                    // as well, but a newer one of the same object had come before
	Foreign                  // no remote that is open shows the object
	Ignored                  // it is of nothing that shows, or a test
	Unreadable               // it is no notification
)

var results = [...]string{"applied", "older", "foreign", "ignored", "unreadable"}

// Results are the words for all of them, by number.
func Results() []string { return results[:] }

// New returns a Feed, which works while Run runs.
func New(source Source, o Options) *Feed {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Feed{source: source, opt: o, watchers: map[*watching]bool{}, status: Status{Kind: o.Kind, Name: o.Name}}
}

// Status returns what has come of f.
func (f *Feed) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.status
	s.Up = f.up
	if s.Up {
		s.Away, s.Problem = time.Time{}, ""
	}
	return s
}

const (
	firstRetry = time.Second // after a source could not be reached; each further time twice as long
	lastRetry  = time.Minute
)

// Run listens until ctx ends.
func (f *Feed) Run(ctx context.Context) {
	delay := firstRetry
	for {
		err := f.source.Listen(ctx, f)
		if f.lost() {
			delay = firstRetry
		}
		if ctx.Err() != nil {
			return
		}
		f.logAway(ctx, err)
		if remote.Sleep(ctx, delay) != nil {
			return
		}
		delay = min(2*delay, lastRetry)
	}
}

// lost notes that f does not listen any more, and reports whether it did.
func (f *Feed) lost() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	was := f.up
	f.up = false
	for w := range f.watchers {
		w.away(f, true)
	}
	return was
}

// logAway logs the first of several failures where people see it.
func (f *Feed) logAway(ctx context.Context, err error) {
	f.mu.Lock()
	level := slog.LevelWarn
	if f.told {
		level = slog.LevelDebug
	} else {
		f.status.Away = time.Now()
	}
	f.told, f.status.Problem = true, err.Error()
	f.mu.Unlock()
	f.opt.Log.LogAttrs(ctx, level, "the change feed is not reached; directories are asked for again at least every "+AwayTime.String()+" until it is",
		slog.String("feed", f.opt.Name), slog.Any("error", err))
}

// Begun notes that f listens from now on. missed says that something may have happened before that
// will not be told.
func (f *Feed) Begun(missed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.up = true
	level, text := slog.LevelInfo, "the change feed is listened to"
	if f.told {
		level, text = slog.LevelWarn, "the change feed is listened to again"
	}
	f.told = false
	if missed {
		f.status.Gaps++
	}
	for w := range f.watchers {
		w.away(f, false)
		w.begun(f.opt.Buckets, missed)
	}
	f.opt.Log.Log(context.Background(), level, text, "feed", f.opt.Name)
}

// Missed notes that something may have happened that will not be told.
func (f *Feed) Missed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status.Gaps++
	for w := range f.watchers {
		w.gap(f.opt.Buckets)
	}
}

// Take applies a message. When it returns, all remotes that it concerns have it, and lose it only
// together with what they remember.
func (f *Feed) Take(m Message) {
	all, err := notice.Parse(m.Body, m.Attributes)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil:
		f.status.Results[Unreadable]++
		if !f.unread {
			f.opt.Log.Warn("the change feed has messages that are no notifications, which are left out", "feed", f.opt.Name, "length", len(m.Body))
		}
		f.unread = true
	case len(all) == 0:
		f.status.Results[Ignored]++
	}
	for i := range all {
		f.status.Results[f.apply(&all[i])]++
	}
}

// apply tells all whom a notice concerns.
// LOCKS_REQUIRED(f.mu)
func (f *Feed) apply(n *notice.Notice) Result {
	if len(f.opt.Buckets) > 0 && !slices.Contains(f.opt.Buckets, n.Bucket) {
		return Foreign
	}
	result := Foreign
	if f.newest.isOlder(n) {
		n.Doubt()
		result = Older
	}
	concerned := false
	for w := range f.watchers {
		if changes := n.Changes(w.namer); len(changes) > 0 {
			w.add(changes...)
			concerned = true
		}
	}
	if !n.Time.IsZero() {
		f.status.Last, f.status.Lag = n.Time, max(time.Since(n.Time), 0)
	}
	if concerned && result == Foreign {
		result = Applied
	}
	return result
}

// add has w told of what comes from now on.
func (f *Feed) add(w *watching) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers[w] = true
	w.away(f, !f.up)
	if f.up {
		w.begun(f.opt.Buckets, true)
	}
}

func (f *Feed) remove(w *watching) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.watchers, w)
}

// concerns reports whether f may tell of what a remote shows.
func (f *Feed) concerns(r remote.ObjectNamer) bool {
	return len(f.opt.Buckets) == 0 || slices.ContainsFunc(f.opt.Buckets, func(bucket string) bool {
		_, ok := r.ObjectName(bucket, "")
		return ok
	})
}
