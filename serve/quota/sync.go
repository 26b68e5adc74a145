package quota

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"ferry/cluster"
)

const (
	// answer is how long one exchange may take, with all its tries.
	answer = 4 * time.Second
	// retry is when an exchange that has failed is tried again, or half of that later.
	retry = time.Second

	// firstPause is how long is waited at most before a value is set again that another node was
	// quicker with. Each time it may be twice as long, up to lastPause, so that a hundred nodes
	// which change one value at once do not go on to disturb each other.
	firstPause = 10 * time.Millisecond
	lastPause  = 640 * time.Millisecond
)

// A plan is what an exchange is to bring about.
type plan struct {
	number int              // of the exchange
	here   Usage            // what was counted here
	told   Usage            // of that, what was told, where nodes do not know
	total  Usage            // what they have told in all, where they do not know
	others map[string]Usage // of that, what each other one has
	need   Usage            // what uploads use and lack
	lacks  bool             // some upload waits
	ask    bool             // other nodes may be asked for what is lacking
	extra  Usage            // what is good to have besides
	floor  Usage            // what may be used at any moment until the answer comes
	usable Usage            // what could be before
	limits Limits
	used   Usage // what was known here, if it is not known that it counts for all; else 0
}

// An outcome is what has come of it.
type outcome struct {
	common   *common
	revision uint64
	granted  Usage
	asked    bool // other nodes
	no       bool // there is not as much as is needed, and no other node has it
	sent     time.Time
	renewed  bool // it was written
}

// sync tells other nodes what was counted of a user, and leases as much as is needed. ends: nothing
// is, from now on.
func (s *Store) sync(ctx context.Context, a *Account, ends bool) {
	p, needed := a.plan(time.Now(), ends)
	if !needed {
		s.after(a)
		return
	}
	own, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	o, err := s.nodes.exchange(own, a.user, p)
	if a.conclude(p, o, err); err == nil {
		s.nodes.exchanges.Add(1)
	} else {
		s.nodes.failed.Add(1)
	}
	if err != nil && !errors.Is(err, cluster.ErrAway) && ctx.Err() == nil {
		s.nodes.log.Warn("what a user has stored cannot be told to other nodes", "user", a.user, "error", err)
	}
	s.after(a)
}

// plan decides what an exchange is to bring about, and whether there has to be one. What is given
// back cannot be used from now on.
func (a *Account) plan(now time.Time, ends bool) (p plan, needed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.lease
	p = plan{number: l.begun + 1, here: l.here, told: l.told, total: l.total, others: l.others, limits: a.limits, lacks: len(l.waiting) > 0, ask: !l.asked}
	if l.alone {
		p.used = a.used
	}
	inUse := a.limits.bounds(a.reserved.most(Usage{}))
	p.need = a.limits.bounds(inUse.plus(l.lacks()))
	if size := a.limits.bounds(a.limits.size()); !ends && a.users.Load() > 0 && !l.yields && now.Sub(l.used) < idle {
		p.extra = size
	}
	spent := l.here.minus(l.told)
	rest := l.usable.minus(spent)
	enough := p.extra == (Usage{}) && l.granted == inUse || p.extra != (Usage{}) && rest.minus(inUse).covers(p.extra.half())
	renewed := l.granted == (Usage{}) || l.until.Sub(now) > ownLife-renewal
	if !p.lacks && !l.yields && !l.failed && l.joined && spent == (Usage{}) && enough && renewed {
		return p, false
	}
	l.begun++
	p.usable = l.usable
	l.usable = l.usable.least(spent.plus(p.need).plus(p.extra))
	p.floor = a.limits.bounds(l.usable.minus(spent).most(Usage{}))
	l.yields = false
	return p, true
}

// exchange does what p says, by as many tries as it takes until ctx ends.
func (n *nodes) exchange(ctx context.Context, user string, p plan) (o outcome, err error) {
	for try := 0; ; try++ {
		c, revision, err := n.get(ctx, user)
		if err != nil {
			return o, err
		}
		o = outcome{common: c, revision: revision, sent: time.Now()}
		if !n.apply(&o, user, p) {
			return o, nil
		}
		o.revision, err = n.set(ctx, o.common, revision)
		o.renewed = !errors.Is(err, cluster.ErrConflict) // or it may have been, which is not known
		if o.renewed {
			return o, err
		}
		if giveWay(ctx, try) != nil {
			return o, fmt.Errorf("too many nodes at once: %w", cluster.ErrConflict)
		}
	}
}

// giveWay waits for some time after a try, by number, in which another node was quicker.
func giveWay(ctx context.Context, try int) error {
	timer := time.NewTimer(rand.N(min(firstPause<<min(try, 10), lastPause)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// apply changes what nodes know, o.common, as p says. It reports whether something has changed.
func (n *nodes) apply(o *outcome, user string, p plan) bool {
	now := o.sent
	if o.common == nil {
		// Where the engine has forgotten all, nodes that have told more than is known here add it.
		o.common = &common{User: user, Used: p.total, Nodes: map[string]*part{}}
		for name, told := range p.others {
			o.common.Nodes[name] = &part{Told: told}
		}
	} else if p.used != (Usage{}) && o.common.Nodes[n.node] == nil {
		n.log.Warn("what was counted here before does not count, as other nodes have told of the user: count anew with ferry users usage --scan",
			"user", user, "bytes", p.used.Bytes, "files", p.used.Files)
	}
	c := o.common
	mine := c.Nodes[n.node]
	before := part{}
	if mine == nil {
		mine = &part{Told: p.told}
		c.Nodes[n.node] = mine
	} else {
		before = *mine
	}
	c.Used = c.Used.plus(p.here.minus(mine.Told))
	mine.Told = p.here
	others := c.others(n.node, now)
	if others == (Usage{}) {
		c.Used = c.Used.most(Usage{}) // what was removed was never counted
	}
	rest := p.limits.bounds(Usage{p.limits.Bytes, p.limits.Files}.minus(c.Used).minus(others).most(Usage{}))
	if c.wanted(n.node, now) {
		p.extra = Usage{}
	}
	o.granted = grant(p, rest)
	mine.Lease = o.granted
	wants := c.Want
	short := !o.granted.covers(p.need)
	o.no = short && others == (Usage{})
	switch stale := wants != nil && now.Sub(time.UnixMilli(wants.At)).Abs() >= wantLife; {
	case short && p.lacks && !o.no && p.ask:
		c.Want, o.asked = &want{n.node, now.UnixMilli()}, true
	case stale, wants != nil && wants.Node == n.node && !(short && p.lacks):
		c.Want = nil
	}
	fresh := mine.Lease == (Usage{}) || now.Sub(time.Unix(mine.At, 0)) < renewal/2
	if before.At != 0 && before.Told == mine.Told && before.Lease == mine.Lease && wants == c.Want && fresh {
		return false
	}
	mine.At = now.Unix()
	c.shorten(n.node)
	return true
}

// grant returns what is leased where rest is not used by others: what is needed, and what is good
// to have, but that no more than a quarter of what is left, so that the last of it is nobody's.
func grant(p plan, rest Usage) Usage {
	one := func(need, extra, floor, rest int64) int64 {
		extra = min(extra, max(rest-need, 0)/4)
		return min(max(need+extra, floor), rest)
	}
	return Usage{
		Bytes: one(p.need.Bytes, p.extra.Bytes, p.floor.Bytes, rest.Bytes),
		Files: one(p.need.Files, p.extra.Files, p.floor.Files, rest.Files),
	}
}

// conclude takes in what has come of an exchange.
func (a *Account) conclude(p plan, o outcome, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.lease
	l.done, l.failed, l.ended = p.number, err != nil, time.Now()
	if err != nil {
		if !o.renewed { // nothing was given back
			l.usable = p.usable
		}
		l.change()
		return
	}
	a.know(o.common, o.revision, a.store.nodes.node)
	l.no, l.alone = o.no, false
	l.asked = l.asked || o.asked && len(l.waiting) > 0
	if o.renewed {
		l.until = o.sent.Add(ownLife)
	}
	if err := a.writeCounted(); err != nil {
		a.store.nodes.log.Error("what a user has stored cannot be kept", "user", a.user, "error", err)
	}
	l.change()
}

// after decides when there is another exchange, and closes an account that nobody uses.
func (s *Store) after(a *Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.mu.Lock()
	l := a.lease
	settled := l.here == l.told && l.granted == (Usage{}) && len(a.uploads) == 0
	failed, unused := l.failed, a.users.Load() == 0
	a.mu.Unlock()
	switch {
	case unused && (settled || failed): // what was not told is on the disk, until the engine is back
		s.nodes.forget(a)
		if s.accounts[a.user] == a {
			if err := a.drop(); err != nil {
				s.nodes.log.Error("what a user has stored cannot be kept", "user", a.user, "error", err)
			}
		}
	case failed:
		s.nodes.later(a, retry+rand.N(retry/2))
	case unused:
		s.nodes.later(a, soon)
	case !settled:
		s.nodes.later(a, idle)
	}
}

// errDamaged is the error of a value that no ferry has written.
var errDamaged = errors.New("what nodes know of the user is damaged: count anew with ferry users usage --scan")

// get returns what nodes know together of a user, nil for nothing.
func (n *nodes) get(ctx context.Context, user string) (*common, uint64, error) {
	v, err := n.engine.Get(ctx, Bucket, keyOf(user))
	if errors.Is(err, cluster.ErrNoValue) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	c, ok := decode(v.Data)
	if !ok {
		return nil, v.Revision, fmt.Errorf("user %q: %w", user, errDamaged)
	}
	return c, v.Revision, nil
}

// set replaces what nodes know of a user if its revision is still that one, 0 for nothing.
func (n *nodes) set(ctx context.Context, c *common, revision uint64) (uint64, error) {
	if revision == 0 {
		return n.engine.Create(ctx, Bucket, keyOf(c.User), c.encode(), 0)
	}
	return n.engine.Update(ctx, Bucket, keyOf(c.User), c.encode(), revision, 0)
}
