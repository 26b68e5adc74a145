package cache

import (
	"slices"
	"sync"
	"time"

	"ferry/disk"
)

// clean is a copy in use: those bytes of one version of a file that have arrived.
type clean struct {
	// constant
	set         *copySet
	key         copyKey
	name        string
	fingerprint Fingerprint
	file        disk.File
	busy        func(within time.Duration) bool // see idleCopy

	// guarded by copySet.mu
	handles  int
	outdated bool

	mu       sync.Mutex
	slots    slots
	held     ranges    // guarded by mu
	pinned   pins      // guarded by mu; must not be punched out: being read, written or sent
	inFlight inFlight  // guarded by mu; must not be punched out until it expires
	bytes    int64     // guarded by mu; as counted by quota
	lastUsed time.Time // guarded by mu; as in the header
	changed  bool      // guarded by mu; held differs from the newest header
	claims   bool      // guarded by mu; a header may claim bytes
	durable  bool      // guarded by mu; such a header may be valid after a power loss
	spooled  bool      // guarded by mu; the newest header is not
	punched  int       // guarded by mu; how often bytes were punched out
	edits    int       // guarded by mu; how often bytes were added or punched out
	verified bool      // guarded by mu; the checksum of the whole was right after the last edit
	closed   bool      // guarded by mu; the last handle was closed
}

func (c *clean) total() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held.total()
}

// pins are byte ranges in use, one entry for each use.
type pins []span

func (p *pins) add(s span) { *p = append(*p, s) }

func (p *pins) remove(s span) {
	if i := slices.Index(*p, s); i >= 0 {
		*p = slices.Delete(*p, i, i+1)
	}
}

func (p pins) overlaps(s span) bool {
	return slices.ContainsFunc(p, func(in span) bool { return in.off < s.end && s.off < in.end })
}

// pin protects the held bytes of the n from off on against being punched out.
func (c *clean) pin(off, n int64) (span, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := span{off, off + min(n, c.held.run(off))}
	if s.len() <= 0 {
		return s, false
	}
	c.pinned.add(s)
	return s, true
}

func (c *clean) unpin(s span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pinned.remove(s)
}

// edited records that the held bytes have changed.
// LOCKS_REQUIRED(c.mu)
func (c *clean) edited() {
	c.edits++
	c.verified = false
}

const (
	// maxInFlight is more than the kernel buffers for a connection that stalls.
	maxInFlight = 16 << 20
	// inFlightTime is how long the last bytes of a transfer may be in flight after its end.
	inFlightTime = 10 * time.Minute
	// maxInFlightSpans bounds the memory: at that number, all spans are merged into one.
	maxInFlightSpans = 64
)

// inFlight are bytes that the kernel may still be sending to a client.
type inFlight []inFlightSpan

type inFlightSpan struct {
	span
	until time.Time
}

func (l *inFlight) add(s span, now time.Time) {
	l.expire(now)
	if s.len() == 0 {
		return
	}
	until := now.Add(inFlightTime)
	if i := slices.IndexFunc(*l, func(in inFlightSpan) bool { return in.span == s }); i >= 0 {
		(*l)[i].until = until
		return
	}
	if len(*l) >= maxInFlightSpans {
		for _, in := range *l {
			s = span{min(s.off, in.off), max(s.end, in.end)}
		}
		*l = nil
	}
	*l = append(*l, inFlightSpan{s, until})
}

func (l *inFlight) expire(now time.Time) {
	*l = slices.DeleteFunc(*l, func(in inFlightSpan) bool { return !in.until.After(now) })
}

func (l inFlight) overlaps(s span) bool {
	return slices.ContainsFunc(l, func(in inFlightSpan) bool { return in.off < s.end && s.off < in.end })
}

// inUse reports whether s must not be punched out.
// LOCKS_REQUIRED(c.mu)
func (c *clean) inUse(s span) bool {
	c.inFlight.expire(time.Now())
	return c.pinned.overlaps(s) || c.inFlight.overlaps(s)
}
