package writeback

import (
	"math"
	"time"
)

// maxTransfers and firstTransfers bound the number of transfers that is found automatically, and
// begin it.
const (
	firstTransfers = 4
	maxTransfers   = 64
)

const (
	// ceilingTime is how long a number of transfers that a server refused is not tried again.
	ceilingTime = time.Minute
	// trialPause is how long no larger number is tried after one that gained nothing.
	trialPause = 10 * time.Second
	// slower is the share of the rate below which the server counts as having slowed down.
	slower = 0.7
)

// congestion finds how many transfers a server bears at a time: additive increase, multiplicative
// decrease. It doubles the number, later adds an eighth, as long as that makes the rate grow by at
// least half as much. It halves it when the server refuses one, or does not answer, and takes off a
// quarter when the server has become slower.
//
// It measures in rounds, in which limit does not change. Only transfers that have begun after the
// connections of a round were opened count, and that ended with all transfers of the round in use.
// The rate is what these did in their time, times limit.
//
// Gate.mu guards it.
type congestion struct {
	limit int
	fixed bool // limit never changes

	doubling  bool
	base      measure   // the largest limit that was worth it; zero = not measured yet
	ceiling   int       // a larger limit was refused lately
	ceilingTo time.Time // until when ceiling counts
	trialFrom time.Time // when a larger limit may be tried again

	round     uint64 // number of changes of limit
	cut       uint64 // the round that followed the last cut
	begun     int    // transfers in this round
	succeeded bool   // a transfer has, since the last cut

	ended int     // transfers that count in this round
	work  float64 // of these
	took  float64 // seconds, of these together
}

// A measure is the rate with which a number of transfers sends.
type measure struct {
	limit int
	rate  float64
}

// A stamp says when a transfer began, as congestion sees it.
type stamp struct {
	at     time.Time
	round  uint64
	counts bool
}

func newCongestion() *congestion {
	return &congestion{limit: firstTransfers, doubling: true}
}

// begin returns the stamp of a transfer that begins.
func (c *congestion) begin(now time.Time) stamp {
	c.begun++
	return stamp{at: now, round: c.round, counts: c.begun > c.limit}
}

// success records that a transfer of so many bytes has ended. inUse is the number of transfers at
// its end, with itself.
func (c *congestion) success(s stamp, bytes int64, inUse int, now time.Time) {
	c.succeeded = true
	if c.fixed || s.round != c.round || !s.counts || inUse < c.limit {
		return
	}
	const unit = 256 << 10 // costs as much as the request itself
	c.ended++
	c.work += 1 + float64(bytes)/unit
	c.took += now.Sub(s.at).Seconds()
	if c.ended >= c.limit && c.took > 0 {
		c.decide(measure{c.limit, c.work / c.took * float64(c.limit)}, now)
	}
}

// decide ends a round that has measured m.
func (c *congestion) decide(m measure, now time.Time) {
	switch {
	case c.base.limit == 0:
		c.base = m
		c.set(c.more(now))
	case m.limit > c.base.limit:
		gain, ideal := m.rate/c.base.rate, float64(m.limit)/float64(c.base.limit)
		if gain >= 1+(ideal-1)/2 {
			c.base = m
			c.set(c.more(now))
			return
		}
		// The server does no more than this, and fewer transfers would do the same.
		c.doubling, c.trialFrom = false, now.Add(trialPause)
		c.set(max(c.base.limit, min(m.limit-1, int(math.Ceil(float64(c.base.limit)*gain)))))
		c.base = measure{}
	case m.rate < c.base.rate*slower:
		c.base, c.trialFrom = measure{}, now
		c.set(max(1, c.limit*3/4))
	default:
		c.base = m
		c.set(c.more(now))
	}
}

// more returns the next number to try, limit if there is none at the moment.
func (c *congestion) more(now time.Time) int {
	if now.Before(c.trialFrom) {
		return c.limit
	}
	next := c.limit + max(1, c.limit/8)
	if c.doubling {
		next = 2 * c.limit
	}
	if now.Before(c.ceilingTo) {
		next = min(next, c.ceiling)
	}
	return max(c.limit, min(next, maxTransfers))
}

// set begins a new round with another limit.
func (c *congestion) set(limit int) {
	c.begun = 0
	if limit == c.limit {
		c.begun = limit // the connections are there
	}
	c.limit = limit
	c.round++
	c.ended, c.work, c.took = 0, 0, 0
}

// congested records that the server has refused a transfer, or has not answered. Transfers that
// began before the last cut have been punished already. When no transfer has succeeded since, the
// server answers none, however few there are: afterwards the search begins anew.
func (c *congestion) congested(s stamp, now time.Time) {
	if c.fixed || s.round < c.cut {
		return
	}
	c.doubling, c.base = !c.succeeded, measure{}
	if c.succeeded {
		c.ceiling, c.ceilingTo = max(1, c.limit-1), now.Add(ceilingTime)
	}
	c.succeeded, c.trialFrom = false, now
	c.set(max(1, c.limit/2))
	c.cut = c.round
}
