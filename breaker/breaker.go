// Package breaker knows whether a remote answers, and bounds how long its callers wait for one that
// does not.
//
// A query that has another answer (an old listing, what is cached, what waits to be sent) does not
// wait for the remote longer than Options.Wait. When it was not answered the breaker is open for a
// while: then nobody waits, until a probe or a call is answered and closes it. A query without
// another answer waits longer; a Watchdog ends it.
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

// DefaultWait is the Wait of Options that name none.
const DefaultWait = 5 * time.Second

// cooldown is how long a remote that did not answer is not asked what can go without an answer.
const cooldown = 5 * time.Second

// ErrOpen is the answer to a query that was not made, because the breaker is open.
var ErrOpen = errors.New("the remote did not answer a moment ago")

// Options are what a Breaker may be told. The zero value never probes and logs nothing.
type Options struct {
	// Wait is how long a query that has another answer waits; 0 = DefaultWait.
	Wait time.Duration
	// Open says that the remote did not answer a moment ago.
	Open bool
	// Probe asks the remote for a sign of life; nil = it is not probed.
	Probe func(context.Context) error
	Log   *slog.Logger // nil: nothing is logged
}

// A Breaker belongs to one remote. Its methods may be called concurrently.
type Breaker struct {
	wait  time.Duration               // how long a query that has another answer waits
	probe func(context.Context) error // asks the remote for a sign of life; may be nil
	log   *slog.Logger

	mu      sync.Mutex
	open    bool      // guarded by mu; the remote is not asked
	warned  bool      // guarded by mu; the log says that it is open
	since   time.Time // guarded by mu; when the remote last did not answer
	probing bool      // guarded by mu
	closed  bool      // guarded by mu; by Close
	cancel  func()    // guarded by mu; ends the probe that is under way
	probes  sync.WaitGroup
}

// New returns a breaker that is closed unless the options say otherwise.
func New(o Options) *Breaker {
	b := &Breaker{wait: cmp.Or(o.Wait, DefaultWait), probe: o.Probe, log: o.Log, open: o.Open}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.since = time.Now().Add(-cooldown) // the first query begins a probe
	return b
}

// Wait returns how long a query that has another answer waits for the remote.
func (b *Breaker) Wait() time.Duration { return b.wait }

// Trip notes that the remote did not answer. A probe finds out whether that concerns more than one
// call.
func (b *Breaker) Trip() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open, b.since = true, time.Now()
	b.startProbe()
}

// Reset notes that the remote has answered.
func (b *Breaker) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = false
	if b.warned {
		b.warned = false
		b.log.Info("the remote answers again")
	}
}

// Closed reports whether a query that can go without an answer is asked. While the remote is away
// it is probed from time to time as long as there are querys, so that those need not wait.
func (b *Breaker) Closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	silent := time.Since(b.since)
	switch {
	case !b.open || b.closed:
		return true
	case silent >= 2*cooldown && !b.probing: // nobody has asked for a while
		b.since = time.Now() // one asks, and the others wait for that
		return true
	case silent >= cooldown:
		b.startProbe()
	}
	return false
}

// startProbe begins a probe, unless one is under way.
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

// Ask makes a call that can go without an answer. Its error is ErrOpen, or that of the call; then
// the caller goes on with what it has, unless its own context has ended or the error is an answer.
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

// soonKey is that of a context under which everything can go without an answer.
type soonKey struct{}

// WithoutWait returns a context for queries that can go without an answer: who knows whether the
// remote answers does not wait for it long.
func WithoutWait(ctx context.Context) context.Context { return context.WithValue(ctx, soonKey{}, true) }

// Soon is WithoutWait, of calls that end when the remote does not answer.
func (b *Breaker) Soon(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(WithoutWait(ctx), b.wait, ErrSilent)
}

// MayWait reports whether what ctx is for is worth waiting for a remote that is away.
func MayWait(ctx context.Context) bool { return ctx.Value(soonKey{}) == nil }

// Alive asks the remote for a sign of life, which may take as long as wait, and reports whether it
// came. Without a probe there is none.
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

// Report notes how a call ended.
func (b *Breaker) Report(ctx context.Context, err error) {
	switch {
	case err == nil || remote.Permanent(err) && !errors.Is(err, context.Canceled):
		b.Reset()
	case ctx.Err() == nil || context.Cause(ctx) == ErrSilent:
		b.Trip()
	}
}

// Close ends a probe that is under way, and waits for it.
func (b *Breaker) Close() {
	b.mu.Lock()
	b.closed = true
	if b.probing {
		b.cancel()
	}
	b.mu.Unlock()
	b.probes.Wait()
}

// IsAnswer tells an error by which the remote says what is, from one that says nothing about it.
func IsAnswer(err error) bool {
	return errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrNotDir) || errors.Is(err, remote.ErrPermission) ||
		errors.Is(err, remote.ErrBadName) || errors.Is(err, remote.ErrInvalid)
}
