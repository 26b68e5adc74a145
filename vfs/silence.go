package vfs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"ferry/remote"
)

// A remote that gives no sign of life must not hold its clients up: each call of a View that waits for it ends within
// AnswerLimit. What goes on after such a call, the reading of a file and the writing of an upload, has limits of its own.

// AnswerLimit is how long a client waits at most for a remote that gives no sign of life.
const AnswerLimit = 30 * time.Second

const (
	// changeLimit is how long a change may take until it is cancelled: a driver may then wait for its answer once more.
	changeLimit = AnswerLimit - remote.AnswerTime
	// probeLimit is how long the answer to a probe may take.
	probeLimit = 10 * time.Second
)

// errSilent is why a call was cancelled that waited for the remote in vain.
var errSilent error = silentError{}

type silentError struct{}

func (silentError) Error() string { return "the remote gives no sign of life" }

// Hint returns one line for the client.
func (silentError) Hint() string { return "The storage does not answer; try again." }

// Unwrap says what it is: a time-out, and no answer.
func (silentError) Unwrap() error { return context.DeadlineExceeded }

// A timeLimit says how long a call may wait for the remote.
type timeLimit struct {
	limit time.Duration // without a sign of life
	long  bool          // it may take longer by its nature: the remote is probed, and the call goes on if that is answered
}

// The limits of questions, of those that may take long (a listing, a hash, the beginning of a download), and of changes.
func forQuestion() timeLimit     { return timeLimit{limit: AnswerLimit} }
func forLongQuestion() timeLimit { return timeLimit{AnswerLimit - probeLimit, true} }
func forChange() timeLimit       { return timeLimit{limit: changeLimit} }
func forLongChange() timeLimit   { return timeLimit{changeLimit - probeLimit, true} }

// forTreeChange is the limit of a change that, with a cache, waits until what stands in its way has been sent.
func (f *FS) forTreeChange() timeLimit {
	if f.over != nil {
		return forLongChange()
	}
	return forChange()
}

// A watchdog cancels a call when no sign of life has come for as long as its limit says. A nil one does nothing.
type watchdog struct {
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

// watchdogKey is that of the watchdog in the values of a context.
type watchdogKey struct{}

// guard returns a context for a call that shall not wait for the remote longer than limit says. The caller calls end, or for a
// call whose result lives on under the context, settle. Within a call that is guarded already, the outer watchdog counts.
func (f *FS) guard(ctx context.Context, limit timeLimit) (context.Context, *watchdog) {
	if f.caps.Live && f.over == nil || ctx.Value(watchdogKey{}) != nil {
		return ctx, nil
	}
	return f.reach.guard(ctx, limit)
}

// guard is that of FS for a call that serves several callers.
func (r *reach) guard(ctx context.Context, limit timeLimit) (context.Context, *watchdog) {
	w := &watchdog{limit: limit.limit, begun: time.Now(), tell: r.lost}
	guarded, cancel := context.WithCancelCause(context.WithValue(ctx, watchdogKey{}, w))
	w.cancel, w.cause = cancel, func() error { return context.Cause(guarded) }
	if limit.long && r.probe != nil {
		w.probe = func() bool {
			ctx, cancel := context.WithTimeoutCause(guarded, probeLimit, errSilent)
			defer cancel()
			return r.probe(ctx) == nil
		}
	}
	w.arm(w.limit)
	return guarded, w
}

// probe asks the remote for a sign of life, whatever it says.
func (f *FS) probe(ctx context.Context) error {
	ask := f.opt.Probe
	if ask == nil {
		ask = func(ctx context.Context) error {
			_, err := f.remote.Stat(ctx, ".")
			return err
		}
	}
	err := ask(ctx)
	if ctx.Err() == nil && remote.Permanent(err) {
		return nil
	}
	return err
}

func (w *watchdog) arm(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.timer = time.AfterFunc(d, w.check)
	}
}

// check is called when the time may be over.
func (w *watchdog) check() {
	left := w.limit - (time.Since(w.begun) - time.Duration(w.heard.Load()))
	switch {
	case w.paused.Load():
		w.arm(w.limit)
	case left > 0:
		w.arm(left)
	case w.probe != nil && w.probe():
		w.hear()
		w.arm(w.limit)
	default:
		w.tell()
		w.cancel(errSilent)
	}
}

// hear notes a sign of life.
func (w *watchdog) hear() {
	if w != nil {
		w.heard.Store(int64(time.Since(w.begun)))
	}
}

// pause stops the clock while the call waits for its caller, and resume lets it go on.
func (w *watchdog) pause() {
	if w != nil {
		w.paused.Store(true)
	}
}

func (w *watchdog) resume() {
	if w != nil {
		w.hear()
		w.paused.Store(false)
	}
}

// settle ends the guard. When the call has not failed, its context lives on.
func (w *watchdog) settle(err *error) {
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
	if w.cause() == errSilent && !errors.Is(*err, errSilent) && (!remote.Permanent(*err) || errors.Is(*err, context.Canceled)) {
		*err = fmt.Errorf("%w: %w", errSilent, *err)
	}
	w.cancel(nil)
}

// end ends the guard and the context of the call.
func (w *watchdog) end(err *error) {
	if w != nil {
		w.settle(err)
		w.cancel(nil)
	}
}

// watchdogOf returns that of the call of ctx, nil where there is none.
func watchdogOf(ctx context.Context) *watchdog {
	w, _ := ctx.Value(watchdogKey{}).(*watchdog)
	return w
}
