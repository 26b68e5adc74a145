// Package breaker tracks whether a remote responds, and bounds how long callers wait for one that
// does not.
//
// A query that can be answered without the remote (from an old listing, the cache, the pending
// changes) waits for the remote no longer than Options.Wait. After a timeout the breaker is open
// for a while: queries do not wait until a probe or a call succeeds and closes it. A query that
// needs the remote waits longer; a Watchdog ends it.
//
// The files, in reading order:
//
//	watchdog.go    Watchdog: when to cancel a call
//	breaker.go     Breaker: whether to send a query
package breaker

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ferry/remote"
)

// DefaultWait is the default of Options.Wait.
const DefaultWait = 5 * time.Second

// cooldown is how long after a timeout optional queries are not sent to the remote.
const cooldown = 5 * time.Second

// ErrOpen is returned for a query that was not sent, because the breaker is open.
var ErrOpen = errors.New("the remote did not answer a moment ago")

// Options configure a Breaker. The zero value never probes and logs nothing.
type Options struct {
	// Wait bounds a query that can be answered without the remote; 0 = DefaultWait.
	Wait time.Duration
	// Open means that the breaker begins open.
	Open bool
	// Probe sends a cheap request to the remote; nil = no probes.
	Probe func(context.Context) error
	Log   *slog.Logger // nil: nothing is logged
}

// A Breaker belongs to one remote. Its methods may be called concurrently.
type Breaker struct {
	wait  time.Duration               // bounds a query that can be answered without the remote
	probe func(context.Context) error // sends a cheap request to the remote; may be nil
	log   *slog.Logger

	mu      sync.Mutex
	open    bool      // guarded by mu; optional queries are not sent
	warned  bool      // guarded by mu; the open breaker was logged
	since   time.Time // guarded by mu; time of the last timeout
	probing bool      // guarded by mu
	closed  bool      // guarded by mu; by Close
	cancel  func()    // guarded by mu; ends the running probe
	probes  sync.WaitGroup
}

// New returns a breaker. It is closed unless o.Open is set.
func New(o Options) *Breaker {
	b := &Breaker{wait: cmp.Or(o.Wait, DefaultWait), probe: o.Probe, log: o.Log, open: o.Open}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.since = time.Now().Add(-cooldown) // the first query starts a probe
	return b
}

// Wait returns the bound of a query that can be answered without the remote.
func (b *Breaker) Wait() time.Duration { return b.wait }

// Trip opens the breaker: the remote did not respond. A probe checks whether more than one call is
// affected.
func (b *Breaker) Trip() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open, b.since = true, time.Now()
	b.startProbe()
}

// Reset closes the breaker: the remote has responded.
func (b *Breaker) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = false
	if b.warned {
		b.warned = false
		b.log.Info("the remote answers again")
	}
}

// Answers reports whether the remote responds, as far as the last calls tell.
func (b *Breaker) Answers() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.open
}

// Closed reports whether to send an optional query. While the breaker is open, queries start probes
// from time to time, so that they need not wait themselves.
func (b *Breaker) Closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	silent := time.Since(b.since)
	switch {
	case !b.open || b.closed:
		return true
	case silent >= 2*cooldown && !b.probing: // there was no query for a while
		b.since = time.Now() // one query is sent, the others wait for its result
		return true
	case silent >= cooldown:
		b.startProbe()
	}
	return false
}

// startProbe starts a probe, unless one is running.
// LOCKS_REQUIRED(b.mu)
func (b *Breaker) startProbe() {
	if b.probing || b.closed || b.probe == nil {
		return
	}
	b.probing = true
	ctx, cancel := context.WithTimeoutCause(context.Background(), cooldown, ErrSilent)
	b.cancel = cancel
	b.probes.Go(func() {
		defer cancel()
		b.probed(b.probe(ctx))
	})
}

func (b *Breaker) probed(err error) {
	if err == nil {
		b.Reset()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	if err == nil || b.closed {
		return
	}
	level := slog.LevelDebug
	if b.open && !b.warned {
		b.warned, level = true, slog.LevelWarn
	}
	b.log.Log(context.Background(), level, "the remote does not answer: what is known without it is shown", "error", err)
	b.since = time.Now()
}

// Ask makes an optional call. It returns ErrOpen, or the error of the call; then the caller uses
// what it has, unless its own context has ended or the error is an answer.
func (b *Breaker) Ask(ctx context.Context, call func(context.Context) error) error {
	if !b.Closed() {
		return ErrOpen
	}
	asking, cancel := context.WithTimeoutCause(ctx, b.wait, ErrSilent)
	defer cancel()
	err := call(asking)
	b.Report(ctx, err)
	return err
}

// soonKey is the key of a context in which every call is optional.
type soonKey struct{}

// WithoutWait returns a context for optional queries: layers with a Breaker do not wait long for
// the remote.
func WithoutWait(ctx context.Context) context.Context { return context.WithValue(ctx, soonKey{}, true) }

// Soon is WithoutWait with a deadline: calls end when the remote does not answer within Wait.
func (b *Breaker) Soon(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(WithoutWait(ctx), b.wait, ErrSilent)
}

// MayWait reports whether calls under ctx may wait for a remote that does not respond.
func MayWait(ctx context.Context) bool { return ctx.Value(soonKey{}) == nil }

// Alive probes the remote, for at most wait, and reports whether it responded. Without a probe it
// returns false.
func (b *Breaker) Alive(ctx context.Context, wait time.Duration) bool {
	if b.probe == nil {
		return false
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wait, ErrSilent)
	defer cancel()
	err := b.probe(ctx)
	if err != nil {
		b.log.DebugContext(ctx, "the remote gives no sign of life", "error", err)
	}
	return err == nil
}

// Report records the result of a call.
func (b *Breaker) Report(ctx context.Context, err error) {
	switch {
	case err == nil || remote.Permanent(err) && !errors.Is(err, context.Canceled):
		b.Reset()
	case ctx.Err() == nil || context.Cause(ctx) == ErrSilent:
		b.Trip()
	}
}

// Close cancels a running probe, and waits for its end.
func (b *Breaker) Close() {
	b.mu.Lock()
	b.closed = true
	if b.probing {
		b.cancel()
	}
	b.mu.Unlock()
	b.probes.Wait()
}

// IsAnswer reports whether err is a definite answer of the remote about the name.
func IsAnswer(err error) bool {
	return errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrNotDir) || errors.Is(err, remote.ErrPermission) ||
		errors.Is(err, remote.ErrBadName) || errors.Is(err, remote.ErrInvalid)
}
