package quota

import (
	"math"
	"time"
)

// A lease is what an account may use of its limits without asking other nodes, and what it has
// counted. All is guarded by the account's mu.
//
// What nodes know together is never more than the limit: what was told, and all leases. What is
// counted here and was not told, and what is reserved, is within the lease. So the limit holds
// whatever the others do.
type lease struct {
	here    Usage // what was ever counted here, less what was removed
	told    Usage // of that, what nodes know
	granted Usage // what the engine says is leased
	usable  Usage // the same, or less while it is being given back
	until   time.Time
	total   Usage            // what nodes have told in all
	others  map[string]Usage // of that, what each other one has; replaced, never changed
	joined  bool             // other nodes know this one
	alone   bool             // nothing was counted here together with others before

	revision uint64 // of what is known; 0 = nothing

	waiting map[*Usage]bool // what uploads lack that wait
	asked   bool            // other nodes, for those
	begun   int             // syncs
	done    int             // the last sync that has ended
	failed  bool            // it has
	no      bool            // there was not as much as was lacking, and no other node has it
	changed chan struct{}   // closed when any of these changes

	used     time.Time // when it was used last
	ended    time.Time // when the last sync did
	answered int64     // the want of another node that was answered
	yields   bool      // one is to be
}

const (
	// leaseSize is how much is leased besides what is needed, if a hundredth of the limit is not
	// less: what one node has leased looks full to all others, until they have asked for it.
	leaseSize     = 64 << 20
	leastLease    = 64 << 10
	leaseFiles    = 1000
	leaseFraction = 100

	// breath is the least time between two leases that nobody waits for.
	breath = 100 * time.Millisecond

	// patience is how long an upload waits for other nodes to give back what they do not use.
	// For the answer to an exchange that has begun by then it waits up to answer longer.
	patience = 2 * time.Second
)

// size returns how much is leased besides what is needed.
func (l Limits) size() Usage {
	return Usage{
		Bytes: min(max(l.Bytes/leaseFraction, leastLease), leaseSize),
		Files: min(max(l.Files/leaseFraction, 1), leaseFiles),
	}
}

// bounds returns u, 0 for what has no limit.
func (l Limits) bounds(u Usage) Usage {
	if l.Bytes <= 0 {
		u.Bytes = 0
	}
	if l.Files <= 0 {
		u.Files = 0
	}
	return u
}

// count0 takes in what was counted here before. What a process has counted alone since then is of
// this node.
//
// LOCKS_REQUIRED(a.mu)
func (a *Account) count0(c tally) {
	l := a.lease
	if l == nil {
		l = &lease{waiting: map[*Usage]bool{}, changed: make(chan struct{}), alone: !c.known}
		a.lease = l
	}
	if c.known {
		l.here, l.told = c.here.plus(a.used.minus(c.total)), c.told
	}
	l.total = a.used.minus(l.here.minus(l.told))
}

// countedMore adds u to what was counted here. LOCKS_REQUIRED(a.mu)
func (a *Account) countedMore(u Usage) {
	l := a.lease
	l.here = l.here.plus(u)
	l.used = time.Now()
	a.used = l.total.plus(l.here.minus(l.told))
}

// writeCounted writes what was counted to the disk. LOCKS_REQUIRED(a.mu)
func (a *Account) writeCounted() error {
	shown := a.used.most(Usage{})
	return a.record.writeTally(shown, tally{here: a.lease.here, told: a.lease.told, total: shown})
}

// leased returns what the account may use of its lease. While the engine is away it may be all that
// is left, as far as is known. LOCKS_REQUIRED(a.mu)
func (a *Account) leased(now time.Time) Usage {
	l := a.lease
	left := l.usable.minus(l.here.minus(l.told)).minus(a.reserved).most(Usage{})
	if now.After(l.until) {
		left = Usage{}
	}
	if l.failed && a.store.nodes.offline {
		left = left.most(a.leftOf())
	}
	if a.limits.Bytes <= 0 {
		left.Bytes = math.MaxInt64
	}
	if a.limits.Files <= 0 {
		left.Files = math.MaxInt64
	}
	return left
}

// leftOf returns how much more the user may store as far as is known.
//
// LOCKS_REQUIRED(a.mu)
func (a *Account) leftOf() Usage {
	rest := func(limit, used, reserved int64) int64 {
		if limit <= 0 {
			return math.MaxInt64
		}
		return max(limit-used-reserved, 0)
	}
	return Usage{
		Bytes: rest(a.limits.Bytes, a.used.Bytes, a.reserved.Bytes),
		Files: rest(a.limits.Files, a.used.Files, a.reserved.Files),
	}
}

// obtain waits until u can be used, or it is clear that it cannot. It does nothing where no other
// node counts. LOCKS_REQUIRED(a.mu), which it releases while it waits
func (a *Account) obtain(u Usage) {
	l := a.lease
	if l == nil {
		return
	}
	now := time.Now()
	left := a.leased(now)
	l.used = now
	if left.covers(u) {
		if !l.no && !left.minus(u).covers(a.limits.bounds(a.limits.size().half())) {
			a.store.nodes.later(a, max(breath-now.Sub(l.ended), 0))
		}
		return
	}
	l.waiting[&u] = true
	defer a.waited(&u)
	before := l.begun
	timer, late := time.NewTimer(patience), false
	defer timer.Stop()
	a.store.nodes.later(a, 0)
	for !a.leased(time.Now()).covers(u) && !(l.done > before && (l.failed || l.no)) {
		changed, over := l.changed, false
		a.mu.Unlock()
		select {
		case <-changed:
		case <-timer.C:
			over = late
			late = true
			timer.Reset(answer) // for the exchange that goes on, if one does
		}
		a.mu.Lock()
		if over || late && l.done == l.begun {
			return
		}
	}
}

// waited ends waiting for u. What is not lacking any more is not kept from others.
//
// LOCKS_REQUIRED(a.mu)
func (a *Account) waited(u *Usage) {
	l := a.lease
	delete(l.waiting, u)
	if len(l.waiting) == 0 && l.asked {
		l.asked = false
		a.store.nodes.later(a, 0)
	}
}

// change wakes who waits. LOCKS_REQUIRED(the account's mu)
func (l *lease) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// lacks returns what all lack that wait.
func (l *lease) lacks() (sum Usage) {
	for u := range l.waiting {
		sum = sum.plus(*u)
	}
	return sum
}

// know takes in what nodes know, unless it is older than what is known.
//
// LOCKS_REQUIRED(a.mu)
func (a *Account) know(c *common, revision uint64, node string) {
	l := a.lease
	if revision < l.revision {
		return
	}
	l.revision, l.total, l.others = revision, c.Used, c.toldByOthers(node)
	l.no = false
	if p := c.Nodes[node]; p != nil {
		l.joined = true
		l.told = p.Told
		l.granted = p.Lease
		l.usable = p.Lease
	} else {
		l.joined, l.granted, l.usable = false, Usage{}, Usage{}
	}
	a.used = l.total.plus(l.here.minus(l.told))
	l.change()
}
