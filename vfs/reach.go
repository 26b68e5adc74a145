package vfs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ferry/remote"
)

// A question that has another answer (an old listing, what is cached, what waits here) does not wait for the remote longer
// than RemoteWait. When it was not answered, the remote counts as away for a while: then nobody waits, until a probe or a
// call is answered.

// DefaultRemoteWait is the RemoteWait of Options that name none.
const DefaultRemoteWait = 5 * time.Second

// restAfterFailure is how long a remote that did not answer is not asked what can go without an answer.
const restAfterFailure = 5 * time.Second

// errAway is the answer to a question that was not asked, because the remote is away.
var errAway = errors.New("the remote did not answer a moment ago")

// reach knows whether the remote answers.
type reach struct {
	wait  time.Duration               // how long a question that has another answer waits
	probe func(context.Context) error // asks the remote for a sign of life
	log   *slog.Logger

	mu      sync.Mutex
	away    bool      // guarded by mu
	told    bool      // guarded by mu; the log says that it is away
	since   time.Time // guarded by mu; when it last did not answer
	probing bool      // guarded by mu
	closed  bool      // guarded by mu
	cancel  func()    // guarded by mu; ends the probe that is under way
	probes  sync.WaitGroup
}

// newReach returns what knows of a remote that is asked by probe.
func newReach(o Options, probe func(context.Context) error) *reach {
	r := &reach{wait: cmpOr(o.RemoteWait, DefaultRemoteWait), probe: probe, log: logOf(o), away: o.Away}
	r.since = time.Now().Add(-restAfterFailure) // the first question begins a probe
	return r
}

// logOf returns where is logged what o says.
func logOf(o Options) *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}

// lost notes that the remote did not answer. A probe finds out whether that concerns more than one call.
func (r *reach) lost() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away, r.since = true, time.Now()
	r.startProbe()
}

// found notes that it did.
func (r *reach) found() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = false
	if r.told {
		r.told = false
		r.log.Info("The remote answers again")
	}
}

// worthAsking reports whether a question that can go without an answer is asked. While the remote is away it is probed from
// time to time as long as there are questions, so that those need not wait.
func (r *reach) worthAsking() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	silent := time.Since(r.since)
	switch {
	case !r.away || r.closed:
		return true
	case silent >= 2*restAfterFailure && !r.probing: // nobody has asked for a while
		r.since = time.Now() // one asks, and the others wait for that
		return true
	case silent >= restAfterFailure:
		r.startProbe()
	}
	return false
}

// startProbe begins a probe, unless one is under way.
// LOCKS_REQUIRED(r.mu)
func (r *reach) startProbe() {
	if r.probing || r.closed || r.probe == nil {
		return
	}
	r.probing = true
	ctx, cancel := context.WithTimeoutCause(context.Background(), restAfterFailure, errSilent)
	r.cancel = cancel
	r.probes.Go(func() {
		defer cancel()
		r.probed(r.probe(ctx))
	})
}

func (r *reach) probed(err error) {
	if err == nil {
		r.found()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.probing = false
	if err == nil || r.closed {
		return
	}
	level := slog.LevelDebug
	if r.away && !r.told {
		r.told, level = true, slog.LevelWarn
	}
	r.log.Log(context.Background(), level, "The remote does not answer: what is known without it is shown", "error", err)
	r.since = time.Now()
}

// ask makes a call that can go without an answer. Its error is errAway, or that of the call; then the caller goes on with
// what it has, unless its own context has ended or the error is an answer.
func (r *reach) ask(ctx context.Context, call func(context.Context) error) error {
	if !r.worthAsking() {
		return errAway
	}
	asking, cancel := context.WithTimeoutCause(ctx, r.wait, errSilent)
	defer cancel()
	err := call(asking)
	r.heard(ctx, err)
	return err
}

// soonKey is that of a context under which everything can go without an answer.
type soonKey struct{}

// soon returns a context for calls that can go without an answer.
func (r *reach) soon(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(context.WithValue(ctx, soonKey{}, true), r.wait, errSilent)
}

// mayWait reports whether what ctx is for is worth waiting for a remote that is away.
func mayWait(ctx context.Context) bool { return ctx.Value(soonKey{}) == nil }

// alive asks the remote for a sign of life, which may take as long as wait.
func (r *reach) alive(ctx context.Context, wait time.Duration) error {
	if r.probe == nil {
		return errAway
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wait, errSilent)
	defer cancel()
	return r.probe(ctx)
}

// heard notes how a call ended.
func (r *reach) heard(ctx context.Context, err error) {
	switch {
	case err == nil || remote.Permanent(err) && !errors.Is(err, context.Canceled):
		r.found()
	case ctx.Err() == nil || context.Cause(ctx) == errSilent:
		r.lost()
	}
}

// close ends a probe that is under way, and waits for it.
func (r *reach) close() {
	r.mu.Lock()
	r.closed = true
	if r.probing {
		r.cancel()
	}
	r.mu.Unlock()
	r.probes.Wait()
}
