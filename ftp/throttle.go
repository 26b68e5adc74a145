package ftp

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// A Throttle delays logins after wrong passwords, by client address: each one longer than the one
// before, whatever the client does. An IPv6 network of 64 bits is one address. The zero value is
// ready; its methods may be called concurrently. Each Server has one of its own.
type Throttle struct {
	mu       sync.Mutex
	suspects map[netip.Addr]*suspect // guarded by mu; addresses with a recent wrong password
	turns    map[netip.Addr]*turns   // guarded by mu; the addresses with a login under way
}

// A suspect is an address with failed logins. Its logins are tried one after the other, with a
// delay that grows with the failures.
type suspect struct {
	failures int
	last     time.Time // of the failures
	free     time.Time // when the next login may be tried
}

const (
	suspectTime   = 10 * time.Minute // after the last failure a suspect is forgotten
	maxSuspects   = 10_000           // at that number, expired suspects are dropped, or all if none is
	maxLoginDelay = 20 * time.Second // a login with a longer delay is refused
)

// turns are the logins of one address that are checked now, and those that wait for it.
type turns struct {
	users int           // guarded by Throttle.mu
	taken chan struct{} // holds one for each login that is checked
}

// checksAtOnce is how many logins of one address are checked at once. Without a limit, the first
// wrong password of an address would delay none of those that came along with it.
const checksAtOnce = 2

// Turn waits until another login of addr may be checked, and returns a function that ends the turn
// and may be called more than once; nil if ctx ends.
func (t *Throttle) Turn(ctx context.Context, addr netip.Addr) func() {
	host := hostAddr(addr)
	if !host.IsValid() {
		return func() {}
	}
	t.mu.Lock()
	if t.turns == nil {
		t.turns = map[netip.Addr]*turns{}
	}
	at := t.turns[host]
	if at == nil {
		at = &turns{taken: make(chan struct{}, checksAtOnce)}
		t.turns[host] = at
	}
	at.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if at.users--; at.users == 0 {
			delete(t.turns, host)
		}
	}
	select {
	case at.taken <- struct{}{}: // mostly; ctx.Done costs memory as long as the session
	default:
		select {
		case at.taken <- struct{}{}:
		case <-ctx.Done():
			leave()
			return nil
		}
	}
	return sync.OnceFunc(func() {
		<-at.taken
		leave()
	})
}

// Delay returns how long addr must wait before its next login is tried, and reserves that slot. It
// returns false if that is too long.
func (t *Throttle) Delay(addr netip.Addr, now time.Time) (time.Duration, bool) {
	host := hostAddr(addr)
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.suspects[host]
	if s == nil {
		return 0, true
	}
	if now.Sub(s.last) > suspectTime {
		delete(t.suspects, host)
		return 0, true
	}
	begin := now
	if s.free.After(now) {
		begin = s.free
	}
	if begin.Sub(now) > maxLoginDelay {
		return 0, false
	}
	s.free = begin.Add(s.delay())
	return begin.Sub(now), true
}

// delay returns the time that each login takes.
func (s *suspect) delay() time.Duration {
	return time.Duration(min(s.failures, maxFailures)) * failureDelay
}

// Failed records a wrong password, and returns how many there were and how long to delay its reply.
func (t *Throttle) Failed(addr netip.Addr, now time.Time) (failures int, wait time.Duration) {
	host := hostAddr(addr)
	if !host.IsValid() {
		return 0, 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.suspects[host]
	if s == nil {
		t.makeRoom(now)
		s = &suspect{free: now}
		t.suspects[host] = s
	}
	s.failures++
	s.last = now
	if later := now.Add(s.delay()); later.After(s.free) {
		s.free = later
	}
	return s.failures, s.delay()
}

// makeRoom drops suspects to make room for another one.
// LOCKS_REQUIRED(t.mu)
func (t *Throttle) makeRoom(now time.Time) {
	if len(t.suspects) >= maxSuspects {
		for host, s := range t.suspects {
			if now.Sub(s.last) > suspectTime {
				delete(t.suspects, host)
			}
		}
	}
	if t.suspects == nil || len(t.suspects) >= maxSuspects {
		t.suspects = map[netip.Addr]*suspect{}
	}
}

// Succeeded clears the failures of addr.
func (t *Throttle) Succeeded(addr netip.Addr) {
	host := hostAddr(addr)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.suspects, host)
}
