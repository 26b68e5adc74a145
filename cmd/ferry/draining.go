package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"ferry/cmd/ferry/internal/logging"
	"ferry/events"
	"ferry/ftp"
	"ferry/rc"
	"ferry/remote"
	"ferry/vfs"
	"ferry/writeback"
)

// The states of a drain, as rc names them.
const (
	drainServing   = "serving"
	drainAnnounced = "announced" // health checks say no, and sessions are still taken
	drainSessions  = "sessions"  // those that are there end
	drainSending   = "sending"   // what waits for the remotes
	drainHandover  = "handover"  // of what waits
	drainDone      = "drained"
	drainStopping  = "stopping" // the process ends
)

// draining takes a service out of its work and puts it back, while the process runs. It implements
// rc.Drainer.
type draining struct {
	server *ftp.Server
	health *rc.Health // is asked anew when the answer has changed; nil = nobody asks
	// These two are set before the service runs. waiting is what waits in all trees; happened
	// records a fact.
	waiting  func() writeback.Waiting
	happened func(events.Kind)
	give     error         // why what waits cannot be handed over; nil = it can
	asked    chan struct{} // holds a token when there is a drain to be run

	mu      sync.Mutex
	delay   time.Duration // guarded by mu; between telling health checks, and refusing sessions
	state   string        // guarded by mu
	since   time.Time     // guarded by mu; of state
	giveNow drainRun      // guarded by mu; of run: closed when what waits is to be handed over in place of being sent
	run     drainRun      // guarded by mu; nil = none is asked for, or under way
	changed chan struct{} // guarded by mu; closed and replaced with state and handOver
}

// A drainRun is one drain. It is closed when that is taken back, or the process ends.
type drainRun chan struct{}

func newDraining(server *ftp.Server, health *rc.Health, delay time.Duration) *draining {
	return &draining{server: server, health: health, delay: delay, give: errNoHandover, state: drainServing, asked: make(chan struct{}, 1), changed: make(chan struct{})}
}

var (
	errStopping   = errors.New("the server is stopping")
	errNoHandover = errors.New("there is no --handover, which says where what waits goes to")
)

// Drain implements rc.Drainer.
func (d *draining) Drain(handOver bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if handOver && d.give != nil {
		return d.give
	}
	if d.state == drainStopping {
		return nil
	}
	begun := d.run != nil
	if !begun {
		d.run, d.giveNow = make(drainRun), make(drainRun)
		d.set(drainAnnounced)
	}
	if handOver && !isClosed(d.giveNow) {
		close(d.giveNow)
	}
	if begun && d.state != drainDone {
		return nil
	}
	select {
	case d.asked <- struct{}{}:
	default: // it is begun
	}
	return nil
}

// setPause sets the time between telling health checks that the service leaves, and its leaving.
func (d *draining) setPause(delay time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delay = delay
}

func (d *draining) pause() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.delay
}

// Undrain implements rc.Drainer.
func (d *draining) Undrain() error {
	refused, err := d.putBack()
	if refused {
		d.happened(events.Undrain)
	}
	return err
}

// putBack ends a drain, and reports whether sessions were refused.
func (d *draining) putBack() (refused bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.state == drainStopping:
		return false, errStopping
	case d.run == nil:
		return false, nil
	}
	refused = d.state != drainAnnounced
	close(d.run)
	d.run = nil
	d.server.Drain(false)
	d.set(drainServing)
	d.since = time.Time{}
	return refused, nil
}

// Drained implements rc.Drainer.
func (d *draining) Drained() rc.Drained {
	d.mu.Lock()
	now := rc.Drained{State: d.state, Since: d.since, Changed: d.changed}
	d.mu.Unlock()
	for _, info := range d.server.Sessions() {
		now.Sessions++
		if info.Command != "" {
			now.Transfers++
		}
	}
	if d.waiting != nil {
		w := d.waiting()
		now.Changes, now.Bytes, now.Failing, now.LastError = w.Changes, w.Bytes, w.Failing, w.LastError
	}
	return now
}

// reason says to health checks why no new session should come, "" if it may.
func (d *draining) reason() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch d.state {
	case drainServing:
		return ""
	case drainStopping:
		return "The server is stopping."
	}
	return "The server is drained."
}

// stop ends a drain for good: the process ends. It reports whether sessions were refused already.
func (d *draining) stop() (refused bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	refused = d.run != nil && d.state != drainAnnounced
	if d.run != nil {
		close(d.run)
		d.run = nil
	}
	d.set(drainStopping)
	return refused
}

// set changes the state. LOCKS_REQUIRED(d.mu)
func (d *draining) set(state string) {
	d.state, d.since = state, time.Now()
	d.tell()
	if d.health != nil {
		d.health.Recheck()
	}
}

// tell wakes those who wait for a change. LOCKS_REQUIRED(d.mu)
func (d *draining) tell() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// reach changes the state of a drain, unless that has ended.
func (d *draining) reach(run drainRun, state string) (reached bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.run != run {
		return false
	}
	if state == drainSessions {
		d.server.Drain(true)
	}
	d.set(state)
	return true
}

// wanted returns the drain that is asked for, nil if none is, and what is closed when it is to
// hand over.
func (d *draining) wanted() (run, giveNow drainRun) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.run, d.giveNow
}

func isClosed(c drainRun) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// drainWhenAsked drains s whenever rc asks for it, until ctx ends.
func (s *service) drainWhenAsked(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.draining.asked:
		}
		if run, giveNow := s.draining.wanted(); run != nil {
			within(ctx, run, func(ctx context.Context) { s.drainOnce(ctx, run, giveNow) })
		}
	}
}

// within calls do with a context that ends with ctx and with run.
func within(ctx context.Context, run drainRun, do func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-run:
			cancel()
		case <-ctx.Done():
		}
	}()
	do(ctx)
	cancel()
	<-ended
}

// drainOnce takes s out of service until ctx ends, and returns when nothing is left to be done.
func (s *service) drainOnce(ctx context.Context, run, giveNow drainRun) {
	d := s.draining
	if !s.server.Accepting().Draining {
		s.log.Log(ctx, logging.Notice, "draining: health checks are told so; running transfers may finish")
		if remote.Sleep(ctx, d.pause()) != nil || !d.reach(run, drainSessions) {
			return
		}
		d.happened(events.Drain)
	}
	for s.server.Stats().Sessions > 0 {
		if remote.Sleep(ctx, sessionsPoll) != nil {
			return
		}
	}
	if !isClosed(giveNow) {
		d.reach(run, drainSending)
		within(ctx, giveNow, s.sendAll)
	}
	if isClosed(giveNow) && s.allWaiting().Changes > 0 {
		d.reach(run, drainHandover)
		s.handOverAll(ctx)
	}
	if ctx.Err() == nil && d.reach(run, drainDone) {
		s.log.Log(ctx, logging.Notice, "drained: no session is left, and nothing waits for the remotes")
	}
}

// sessionsPoll is how often it is looked whether sessions are left.
const sessionsPoll = 100 * time.Millisecond

// sendAll sends what waits for the remotes until nothing does, or ctx ends.
func (s *service) sendAll(ctx context.Context) {
	for ctx.Err() == nil && s.allWaiting().Changes > 0 {
		var each sync.WaitGroup
		s.eachTree(func(tree *vfs.FS) {
			if tree.Waiting().Changes > 0 {
				each.Go(func() { s.flushTree(ctx, tree) })
			}
		})
		each.Wait()
		if s.allWaiting().Changes > 0 && remote.Sleep(ctx, sessionsPoll) != nil {
			return
		}
	}
}

// allWaiting returns what waits in all trees together.
func (s *service) allWaiting() writeback.Waiting {
	var all writeback.Waiting
	s.eachTree(func(tree *vfs.FS) {
		w := tree.Waiting()
		all.Changes += w.Changes
		all.Bytes += w.Bytes
		all.Uploading += w.Uploading
		all.Failing += w.Failing
		if w.LastError != nil {
			all.LastError = w.LastError
		}
	})
	return all
}

// handOverAll hands over what waits until nothing does, or ctx ends.
func (s *service) handOverAll(ctx context.Context) {
	for ctx.Err() == nil {
		given, err := s.giveAll(ctx)
		s.tellGiven(ctx, given)
		if s.allWaiting().Changes == 0 {
			return
		}
		if err != nil {
			s.log.ErrorContext(ctx, "not all that waits could be handed over; it is tried again", "place", s.handing.what, "error", err)
		}
		if remote.Sleep(ctx, handoverPause) != nil {
			return
		}
	}
}

// handoverPause is the time between two tries to hand over.
const handoverPause = 5 * time.Second
