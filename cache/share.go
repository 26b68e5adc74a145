package cache

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// A Share is a limit for several Stores together. Each has a fair share of it, which others use as
// long as nobody needs it: when it is full, the Stores that use more than theirs give up clean
// copies first, and let those that use less write first. Copies of a closed Store do not count.
type Share struct {
	max int64 // constant; 0 = no limit

	mu     sync.Mutex
	used   int64
	stores []*quota
	moved  chan struct{} // closed and replaced when bytes are released
}

// NewShare returns a Share of size bytes; 0 or less: no limit.
func NewShare(size int64) *Share {
	return &Share{max: max(size, 0), moved: make(chan struct{})}
}

func (s *Share) join(q *quota) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stores = append(s.stores, q)
}

// leave ends the part of q in the limit. No other Store evicts from it afterwards.
func (q *quota) leave() {
	q.closing.Lock()
	defer q.closing.Unlock()
	s := q.share
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.left {
		return
	}
	q.left = true
	s.used -= q.used
	s.stores = slices.DeleteFunc(s.stores, func(other *quota) bool { return other == q })
	s.signal()
}

// signal wakes the waiters.
// LOCKS_REQUIRED(s.mu)
func (s *Share) signal() {
	close(s.moved)
	s.moved = make(chan struct{})
}

// fair returns the fair share of a Store.
// LOCKS_REQUIRED(s.mu)
func (s *Share) fair() int64 { return s.max / int64(max(len(s.stores), 1)) }

// lack returns how many bytes are lacking for q to reserve n more; 0 or less: none. A Store that
// uses its fair share leaves what is free to those that use less and wait, or have just waited and
// write on.
// LOCKS_REQUIRED(s.mu)
func (s *Share) lack(q *quota, n int64) int64 {
	switch {
	case s.max == 0:
		return 0
	case s.used >= s.max:
		return s.used + n - s.max
	case len(s.stores) == 1:
		return 0
	}
	now, fair := time.Now(), s.fair()
	if q.used < fair {
		if now.Before(q.next) {
			q.next = now.Add(recheck)
		}
		return 0
	}
	for _, other := range s.stores {
		if other != q && other.used < fair && (other.waiting > 0 || now.Before(other.next)) {
			return max(s.used+n-s.max, n)
		}
	}
	return 0
}

// setWaiting counts the writes of q that wait.
func (s *Share) setWaiting(q *quota, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.waiting += by
	q.next = time.Now().Add(recheck)
}

// A giver is a Store that can give up copies, and how many bytes of them.
type giver struct {
	*quota
	used int64
	most int64
}

// givers returns the Stores that give up copies for q, in order: those above their fair share, the
// one with the most first, then q; with needed also the others.
func (s *Share) givers(q *quota, n int64, needed bool) []giver {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all, rest []giver
	for _, other := range s.stores {
		if over := other.used - s.fair(); over > 0 && len(s.stores) > 1 {
			all = append(all, giver{other, other.used, min(over, n)})
		}
		if other != q && needed {
			rest = append(rest, giver{other, other.used, n})
		}
	}
	slices.SortStableFunc(all, func(a, b giver) int { return cmp.Compare(b.used, a.used) })
	return append(append(all, giver{quota: q, most: n}), rest...)
}

// evict frees about n bytes of clean copies and returns how many it freed: see Share.givers. It is
// called without a lock.
func (q *quota) evict(n int64, needed bool) (freed int64) {
	for _, from := range q.share.givers(q, n, needed) {
		if freed >= n {
			break
		}
		freed += from.evictFor(q, min(n-freed, from.most))
	}
	return freed
}

// evictFor is evictOwn for q, unless the Store is being closed.
func (g giver) evictFor(q *quota, n int64) int64 {
	if g.quota == q {
		return g.evictOwn(n)
	}
	if !g.closing.TryRLock() {
		return 0
	}
	defer g.closing.RUnlock()
	g.share.mu.Lock()
	left := g.left
	g.share.mu.Unlock()
	if left {
		return 0
	}
	return g.evictOwn(n)
}
