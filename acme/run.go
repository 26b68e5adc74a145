package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"ferry/events"
)

const (
	lookEvery   = time.Minute        // for a certificate that another process has stored
	longest     = 10 * time.Minute   // an attempt
	longestHold = 7 * 24 * time.Hour // that an authority may ask for
	adviceEvery = 6 * time.Hour      // the authority is asked when to renew, if it does not say how often
)

// An Install is told which certificate clients are to be shown from now on.
type Install func(name string, cert *tls.Certificate)

// Run gets and renews certificates until ctx ends, and gives each to install. Its error is always
// nil: a certificate that cannot be had is tried again, less and less often.
func (m *Manager) Run(ctx context.Context, install Install) error {
	var wg sync.WaitGroup
	for _, n := range m.names {
		wg.Go(func() { m.follow(ctx, n, install) })
	}
	wg.Wait()
	return nil
}

// follow does what is due for n until ctx ends.
func (m *Manager) follow(ctx context.Context, n *managed, install Install) {
	asked := false
	for ctx.Err() == nil {
		m.takeOver(ctx, n, install)
		m.heedAdvice(ctx, n)
		if n.due(time.Now(), asked) {
			m.attempt(ctx, n, install)
		}
		timer := time.NewTimer(min(n.wait(time.Now()), lookEvery))
		select {
		case <-ctx.Done():
		case <-timer.C:
			asked = false
		case <-n.retry:
			asked = true
		}
		timer.Stop()
	}
}

// next returns when n needs a certificate, and may be tried.
func (n *managed) next() (needed, allowed time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.stamp.IsZero() {
		needed = n.state.due(n.current.Leaf)
	}
	return needed, n.state.Next
}

// due reports whether it is time for an attempt; asked means that somebody wants one rather soon.
func (n *managed) due(now time.Time, asked bool) bool {
	needed, allowed := n.next()
	n.mu.Lock()
	defer n.mu.Unlock()
	if asked && !n.state.Held {
		allowed = time.Time{}
	}
	return !now.Before(needed) && !now.Before(allowed)
}

// wait is how long nothing is due.
func (n *managed) wait(now time.Time) time.Duration {
	needed, allowed := n.next()
	if allowed.After(needed) {
		needed = allowed
	}
	return max(needed.Sub(now), time.Second)
}

// takeOver installs a certificate that was stored since n was looked at.
func (m *Manager) takeOver(ctx context.Context, n *managed, install Install) {
	n.mu.Lock()
	stamp := n.stamp
	n.mu.Unlock()
	cert, stamp, is := m.newer(n.name, stamp)
	if !is {
		return
	}
	n.mu.Lock()
	n.current, n.stamp = cert, stamp
	n.state = m.loadState(n.name)
	n.mu.Unlock()
	if install != nil {
		install(n.name, cert)
	}
	m.o.Log.InfoContext(ctx, "took over a stored certificate", "name", n.name, "expires", cert.Leaf.NotAfter)
}

// attempt asks for a certificate, and says what came of it.
func (m *Manager) attempt(ctx context.Context, n *managed, install Install) error {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	n.mu.Lock()
	var old *x509.Certificate
	if !n.stamp.IsZero() {
		old = n.current.Leaf
	}
	n.mu.Unlock()
	began := time.Now()
	trying, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	err := m.obtain(trying, n.name, old)
	if ctx.Err() != nil && err != nil {
		return context.Cause(ctx) // it ended the attempt
	}
	if err == nil {
		return m.succeeded(ctx, n, began, install)
	}
	return m.failed(ctx, n, began, err)
}

// succeeded installs the certificate that was stored.
func (m *Manager) succeeded(ctx context.Context, n *managed, began time.Time, install Install) error {
	cert, stamp, err := m.load(n.name)
	if err != nil {
		return m.failed(ctx, n, began, err)
	}
	n.mu.Lock()
	n.current, n.stamp, n.state = cert, stamp, state{Tried: began}
	s := n.state
	n.mu.Unlock()
	m.saveState(ctx, n.name, s)
	if install != nil {
		install(n.name, cert)
	}
	m.o.Log.LogAttrs(ctx, noticeLevel, "got a certificate", slog.String("name", n.name),
		slog.Time("expires", cert.Leaf.NotAfter), slog.String("issuer", cert.Leaf.Issuer.CommonName))
	return m.record(ctx, events.Event{Path: n.name, ModTime: cert.Leaf.NotAfter})
}

// noticeLevel is between Info and Warn: what an operator sees without asking for more.
const noticeLevel = slog.LevelInfo + 2

// failed notes that there is no new certificate, and when it is tried again.
func (m *Manager) failed(ctx context.Context, n *managed, began time.Time, err error) error {
	err = explain(err)
	now := time.Now()
	n.mu.Lock()
	s := &n.state
	s.Tried, s.Error = began, err.Error()
	s.Failures++
	s.Next, s.Held = now.Add(pause(err, s.Failures)), false
	if held := (*heldError)(nil); errors.As(err, &held) && held.until.After(s.Next) {
		s.Next, s.Held = held.until, true
		if most := now.Add(longestHold); s.Next.After(most) {
			s.Next = most
		}
	}
	saved := *s
	e := events.Event{Path: n.name, Result: events.Failed, Cause: saved.Error}
	level := slog.LevelError
	if !n.stamp.IsZero() {
		e.ModTime = n.current.Leaf.NotAfter
		if left := e.ModTime.Sub(now); left > e.ModTime.Sub(n.current.Leaf.NotBefore)/6 {
			level = slog.LevelWarn // there is time
		}
	}
	n.mu.Unlock()
	m.saveState(ctx, n.name, saved)
	m.o.Log.LogAttrs(ctx, level, "no new certificate", slog.String("name", n.name), slog.Any("error", err), slog.Time("next", saved.Next))
	return errors.Join(err, m.record(ctx, e))
}

func (m *Manager) record(ctx context.Context, e events.Event) error {
	e.Kind = events.CertRenewed
	return m.o.Events.Record(ctx, &e)
}

// pause is how long to wait after so many failures, one after the other. Authorities let a name be
// refused a few times an hour only; that one cannot be reached may pass soon.
func pause(err error, failures int) time.Duration {
	steps := []time.Duration{15 * time.Minute, 45 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour}
	if !refused(err) {
		steps = []time.Duration{15 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}
	}
	d := steps[min(failures, len(steps))-1]
	return d + rand.N(d/10) // so that many servers do not come at once
}

// renewal is the advice of the authority when to renew a certificate.
type renewal struct {
	at  time.Time // zero = it has none
	ask time.Time // when it may be asked again; zero = it does not say
}

// heedAdvice asks when to renew the certificate of n, if that was not asked for a while.
func (m *Manager) heedAdvice(ctx context.Context, n *managed) {
	n.mu.Lock()
	leaf, s := n.current.Leaf, n.state
	isStandIn := n.stamp.IsZero()
	n.mu.Unlock()
	now := time.Now()
	serial := leaf.SerialNumber.Text(16)
	if isStandIn || s.Serial == serial && now.Before(s.Ask) || !now.Before(leaf.NotAfter) {
		return
	}
	asking, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	advice, err := m.renewalInfo(asking, leaf)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		m.o.Log.DebugContext(ctx, "the authority does not say when to renew", "name", n.name, "error", err)
	}
	if s.Serial != serial {
		s.Serial, s.Advised = serial, time.Time{}
	}
	if !advice.at.IsZero() {
		s.Advised = advice.at
	}
	s.Ask = now.Add(adviceEvery)
	if advice.ask.After(now.Add(lookEvery)) && advice.ask.Before(now.Add(24*time.Hour)) {
		s.Ask = advice.ask
	}
	n.mu.Lock()
	n.state.Serial, n.state.Advised, n.state.Ask = s.Serial, s.Advised, s.Ask
	s = n.state
	n.mu.Unlock()
	m.saveState(ctx, n.name, s)
}

// Renew gets a new certificate for each of the names now, whether it is due or not, for somebody
// who waits. The errors of those that there is none for are joined.
func (m *Manager) Renew(ctx context.Context, names ...string) error {
	var errs error
	for _, name := range names {
		err := errors.New("it is not one of the names of --acme")
		for _, n := range m.names {
			if n.name == name {
				err = m.attempt(ctx, n, nil)
			}
		}
		if err != nil {
			errs = errors.Join(errs, &nameError{name, err})
		}
	}
	return errs
}

// nameError is an error about a name.
type nameError struct {
	name string
	err  error
}

func (e *nameError) Error() string { return e.name + ": " + e.err.Error() }
func (e *nameError) Unwrap() error { return e.err }
