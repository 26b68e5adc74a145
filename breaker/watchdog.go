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

// A remote that does not respond must not block clients: each call that waits for it ends within
// AnswerLimit. Reading a file and writing an upload have limits of their own.

// AnswerLimit is how long a client waits for a remote that does not respond.
const AnswerLimit = 30 * time.Second

const (
	// ChangeLimit is how long a change may take before it is cancelled: the driver may then wait
	// for its response once more.
	ChangeLimit = AnswerLimit - remote.AnswerTime
	// probeLimit is how long a probe may take.
	probeLimit = 10 * time.Second
)

// ErrSilent is the cause of a call cancelled because the remote did not respond. It is a
// context.DeadlineExceeded.
var ErrSilent error = silentError{}

type silentError struct{}

func (silentError) Error() string { return "the remote gives no sign of life" }

// Hint returns one line for the client.
func (silentError) Hint() string { return "The storage does not answer; try again." }

// Unwrap returns context.DeadlineExceeded.
func (silentError) Unwrap() error { return context.DeadlineExceeded }

// A Limit bounds how long a call may wait for the remote.
type Limit struct {
	limit time.Duration // without a response
	long  bool          // it may take longer: the remote is probed, and the call continues if it responds
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

// A Watchdog cancels a call when the remote has not responded within its limit. A nil one does
// nothing.
type Watchdog struct {
	limit    time.Duration
	probe    func() bool // probes the remote; nil = no probes
	cancel   context.CancelCauseFunc
	cause    func() error // the cause of the context of the call
	onSilent func()       // called when it cancels the call
	begun    time.Time
	heard    atomic.Int64 // time of the last sign of life, as a time.Duration since begun
	paused   atomic.Bool  // the call waits for its caller

	mu    sync.Mutex
	timer *time.Timer // guarded by mu
	ended bool        // guarded by mu
}

// watchdogKey is the context key of the Watchdog.
type watchdogKey struct{}

// Guard returns a context for a call that must not wait for the remote longer than limit. The
// caller calls End, or Settle if the result of the call keeps using the context.
func (b *Breaker) Guard(ctx context.Context, limit Limit) (context.Context, *Watchdog) {
	w := &Watchdog{limit: limit.limit, begun: time.Now(), onSilent: b.Trip}
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

// check is called when the limit may be exceeded.
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
		w.onSilent()
		w.cancel(ErrSilent)
	}
}

// Hear records a sign of life.
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

// Resume restarts the clock; it counts as a sign of life.
func (w *Watchdog) Resume() {
	if w != nil {
		w.Hear()
		w.paused.Store(false)
	}
}

// Settle ends the guard. If the call has not failed, its context stays valid.
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

// WatchdogOf returns the Watchdog of ctx, or nil.
func WatchdogOf(ctx context.Context) *Watchdog {
	w, _ := ctx.Value(watchdogKey{}).(*Watchdog)
	return w
}

// Short reports whether w guards a call with a fixed limit, without probes.
func (w *Watchdog) Short() bool { return w != nil && w.probe == nil }
