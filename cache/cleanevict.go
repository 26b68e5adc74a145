package cache

import "time"

// evict frees about n bytes of copies and returns how many it freed: first idle copies, the least
// recently used first; then bytes of copies in use that are not being read.
func (cs *copySet) evict(n int64) (freed int64) {
	for freed < n {
		got, ok := cs.evictIdle()
		if !ok {
			break
		}
		freed += got
	}
	if freed >= n {
		return freed
	}
	for _, c := range cs.inUse() {
		if freed >= n {
			break
		}
		got := c.shrink(n - freed)
		if got > 0 {
			cs.evicted.Add(1)
		}
		freed += got
	}
	return freed
}

// evictIdle drops the least recently used idle copy and reports whether there was one. It skips a
// copy that is still being read as a record: dropping it would free nothing.
func (cs *copySet) evictIdle() (freed int64, ok bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for e := cs.recent.Back(); e != nil; e = e.Prev() {
		it := e.Value.(*idleCopy)
		if it.busy != nil && it.busy(0) {
			continue
		}
		if cs.forget(it.key) == nil {
			cs.evicted.Add(1)
			return it.bytes, true
		}
	}
	return 0, false
}

// inUse returns the copies that may have bytes to punch out.
func (cs *copySet) inUse() []*clean {
	if cs.noHoles.Load() {
		return nil
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	all := make([]*clean, 0, len(cs.used)+len(cs.outdated))
	for c := range cs.outdated {
		all = append(all, c)
	}
	for _, c := range cs.used {
		all = append(all, c)
	}
	return all
}

// holeSize is the size and the alignment of a punched hole; the held bytes may make it smaller.
const holeSize = 1 << 20

// shrink punches about n bytes out of a copy in use, from the beginning on, and returns how many it
// freed.
func (c *clean) shrink(n int64) (freed int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.busy != nil && c.busy(inFlightTime) {
		return 0
	}
	for _, s := range c.holes(n) {
		if c.punch(s) != nil {
			break
		}
		freed += s.len()
	}
	return freed
}

// holes returns about n bytes that are held and not in use.
// LOCKS_REQUIRED(c.mu)
func (c *clean) holes(n int64) (found []span) {
	for _, s := range c.held {
		for s.len() > 0 && n > 0 {
			piece := span{s.off, min(s.end, s.off-s.off%holeSize+holeSize)}
			s.off = piece.end
			if !c.inUse(piece) {
				found = append(found, piece)
				n -= piece.len()
			}
		}
	}
	return found
}

// expire drops the idle copies whose last use is longer ago than Options.MaxAge.
func (cs *copySet) expire(now time.Time) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if !cs.s.mayExpire(now, cs.s.o.MaxAge) {
		return
	}
	for e := cs.recent.Back(); e != nil; {
		it := e.Value.(*idleCopy)
		e = e.Prev()
		if now.Sub(it.lastUsed) < cs.s.o.MaxAge {
			return // the rest was used more recently
		}
		_ = cs.forget(it.key) // retried next time
	}
}
