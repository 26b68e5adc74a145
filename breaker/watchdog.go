package breaker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"ferry/remote"
)

// A remote that gives no sign of life must not hold its clients up: each call of theirs that waits
// for it ends within AnswerLimit. What goes on after such a call, the reading of a file and the
// writing of an upload, has limits of its own.

// AnswerLimit is how long a client waits at most for a remote that gives no sign of life.
const AnswerLimit = 30 * time.Second

const (
	// ChangeLimit is how long a change may take until it is cancelled: a driver may then wait for
	// its answer once more.
	ChangeLimit = AnswerLimit - remote.AnswerTime
	// probeLimit is how long the answer to a probe may take.
	probeLimit = 10 * time.Second
)

// ErrSilent is why a call was cancelled that waited for the remote in vain. It is a
// context.DeadlineExceeded.
var ErrSilent error = silentError{}

type silentError struct{}

func (silentError) Error() string { return "the remote gives no sign of life" }

// Hint returns one line for the client.
func (silentError) Hint() string { return "The storage does not answer; try again." }

// Unwrap says what it is: a time-out, and no answer.
func (silentError) Unwrap() error { return context.DeadlineExceeded }

// A Limit says how long a call may wait for the remote.
type Limit struct {
	limit time.Duration // without a sign of life
	long  bool          // it may take longer by its nature: the remote is probed, and the call goes on if that is answered
}

// ForQuery is the limit of a query.
func ForQuery() Limit { return Limit{limit: AnswerLimit} }

// ForLongQuery is the limit of a query that may take long: a listing, a hash, the beginning of a
// download.
func ForLongQuery() Limit { return Limit{AnswerLimit - probeLimit, true} }

// ForChange is the limit of a change.
func ForChange() Limit { return Limit{limit: ChangeLimit} }

// ForLongChange is the limit of a change that may take long.
func ForLongChange() Limit { return Limit{ChangeLimit - probeLimit, true} }

// A Watchdog cancels a call when no sign of life has come for as long as its limit says. A nil one
// does nothing.
type Watchdog struct {
	limit  time.Duration
	probe  func() bool // asks the remote for a sign of life; nil = nobody asks
	cancel context.CancelCauseFunc
	cause  func() error // why the context of the call has ended
	tell   func()       // is called when it cancels the call
	begun  time.Time
	heard  atomic.Int64 // when the last sign of life came, as a time.Duration since begun
	paused atomic.Bool  // the call waits for its caller

	mu    sync.Mutex
	timer *time.Timer // guarded by mu
	ended bool        // guarded by mu
}

// watchdogKey is that of the Watchdog in the values of a context.
type watchdogKey struct{}

// Guard returns a context for a call that shall not wait for the remote longer than limit says. The
// caller calls End, or for a call whose result lives on under the context, Settle.
func (b *Breaker) Guard(ctx context.Context, limit Limit) (context.Context, *Watchdog) {
	w := &Watchdog{limit: limit.limit, begun: time.Now(), tell: b.Trip}
	guarded, cancel := context.WithCancelCause(context.WithValue(ctx, watchdogKey{}, w))
	w.cancel, w.cause = cancel, func() error { return context.Cause(guarded) }
	if limit.long && b.probe != nil {
		w.probe = func() bool { return b.Alive(guarded, probeLimit) }
	}
	w.arm(w.limit)
	return guarded, w
}

func (w *Watchdog) arm(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.timer = time.AfterFunc(d, w.check)
	}
}

// check is called when the time may be over.
func (w *Watchdog) check() {
	left := w.limit - (time.Since(w.begun) - time.Duration(w.heard.Load()))
	switch {
	case w.paused.Load():
		w.arm(w.limit)
	case left > 0:
		w.arm(left)
	case w.probe != nil && w.probe():
		w.Hear()
		w.arm(w.limit)
	default:
		w.tell()
		w.cancel(ErrSilent)
	}
}

// Hear notes a sign of life.
func (w *Watchdog) Hear() {
	if w != nil {
		w.heard.Store(int64(time.Since(w.begun)))
	}
}

// Pause stops the clock while the call waits for its caller.
func (w *Watchdog) Pause() {
	if w != nil {
		w.paused.Store(true)
	}
}

// Resume lets the clock go on; it is a sign of life.
func (w *Watchdog) Resume() {
	if w != nil {
		w.Hear()
		w.paused.Store(false)
	}
}

// Settle ends the guard. When the call has not failed, its context lives on.
func (w *Watchdog) Settle(err *error) {
	if w == nil {
		return
	}
	w.mu.Lock()
	w.ended = true
	w.timer.Stop()
	w.mu.Unlock()
	if *err == nil {
		return
	}
	if w.cause() == ErrSilent && !errors.Is(*err, ErrSilent) && (!remote.Permanent(*err) || errors.Is(*err, context.Canceled)) {
		*err = fmt.Errorf("%w: %w", ErrSilent, *err)
	}
	w.cancel(nil)
}

// End ends the guard and the context of the call.
func (w *Watchdog) End(err *error) {
	if w != nil {
		w.Settle(err)
		w.cancel(nil)
	}
}

// WatchdogOf returns that of the call of ctx, nil where there is none.
func WatchdogOf(ctx context.Context) *Watchdog {
	w, _ := ctx.Value(watchdogKey{}).(*Watchdog)
	return w
}

// Short reports whether w watches a call that may not take longer by its nature.
func (w *Watchdog) Short() bool { return w != nil && w.probe == nil }
