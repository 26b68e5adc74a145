package cache

import (
	"errors"
	"sync"
	"syscall"
	"time"
)

// quota counts the bytes of the files of a Store by state, and blocks writers that would exceed the
// limit. All states share one limit, also with the Stores of one Share. A file counts as its data
// and its header, as if both were written in full.
type quota struct {
	// constant
	share        *Share
	minFree      int64
	stallTimeout time.Duration
	free         func() (int64, error)

	// evictOwn frees about n bytes of clean copies that are not in use and returns how many it
	// freed. It calls release itself. It is set before the first use, and called without a lock.
	evictOwn func(n int64) int64

	closing sync.RWMutex // held to read while another Store evicts from this one; taken before all

	used    int64 // guarded by share.mu
	bytes   [states]int64
	files   [states]int
	waiting int       // guarded by share.mu; writes
	next    time.Time // guarded by share.mu; until then what is free is for this Store
	left    bool      // guarded by share.mu; the Store is closed and does not count
}

// recheck is how often the free bytes of the disk are queried while a write waits for them: other
// processes free them without notice.
const recheck = time.Second

// Bounds of what is reserved and written at a time.
const (
	maxChunk = 1 << 20
	minChunk = 64 << 10
)

// errStopped is returned by a wait for space that was cancelled.
var errStopped = errors.New("stopped waiting for room in the cache")

func newQuota(o Options, free func() (int64, error)) *quota {
	q := &quota{
		share: o.Share, minFree: max(o.MinFree, 0), stallTimeout: o.StallTimeout,
		free: free, evictOwn: func(int64) int64 { return 0 },
	}
	if q.share == nil {
		q.share = NewShare(o.MaxSize)
	}
	if q.stallTimeout <= 0 {
		q.stallTimeout = time.Minute
	}
	q.share.join(q)
	return q
}

// reserve reserves n bytes for a write to a file in state st. If the cache is full, it evicts, then
// waits until bytes are released. It returns ErrNoSpace after stallTimeout without progress, and
// errStopped when done is closed. While any byte is free below the limit, a whole write is
// admitted.
func (q *quota) reserve(done <-chan struct{}, st state, n int64) error {
	return q.await(done, func() (int64, error) { return q.tryReserve(st, n) })
}

// tryReserve reserves n bytes without waiting; if there is no space, it returns how many bytes are
// lacking.
func (q *quota) tryReserve(st state, n int64) (lack int64, err error) {
	if q.minFree > 0 {
		free, err := q.free()
		switch {
		case errors.Is(err, errors.ErrUnsupported):
		case err != nil:
			return 0, err
		case free-n < q.minFree:
			return q.minFree - (free - n), nil
		}
	}
	q.share.mu.Lock()
	defer q.share.mu.Unlock()
	if lack := q.share.lack(q, n); lack > 0 {
		return lack, nil
	}
	q.add(st, n)
	return 0, nil
}

// chunk returns the size of a write, by which the cache may exceed its limit. A slow upload
// reserves that much before the bytes have arrived: so it is small in a small cache.
func (q *quota) chunk() int64 {
	if q.share.max == 0 {
		return maxChunk
	}
	return min(max(q.share.max/1024, minChunk), maxChunk)
}

// nearlyFull reports whether the disk itself is nearly full.
func (q *quota) nearlyFull() bool {
	free, err := q.free()
	return err == nil && free < 64*maxChunk
}

// await repeats try until it lacks no bytes.
func (q *quota) await(done <-chan struct{}, try func() (lack int64, err error)) error {
	var w waiter
	defer w.stop()
	waits := false
	defer func() {
		if waits { // also during the attempts, so that what was freed is not taken by others
			q.share.setWaiting(q, -1)
		}
	}()
	for {
		moved := q.progress() // before the attempt, so that no signal is missed
		lack, err := try()
		if err != nil || lack <= 0 {
			return err
		}
		if q.evict(lack, true) > 0 {
			w.stop()
			continue
		}
		if !waits {
			waits = true
			q.share.setWaiting(q, 1)
		}
		if err := w.wait(done, moved, q.stallTimeout); err != nil {
			return err
		}
	}
}

// evictOrWait is called when the disk itself is full: it evicts about n bytes, or waits for
// progress or a short time, after which the write may be tried again. w is the same for all calls
// of one write: it measures the time without progress.
func (q *quota) evictOrWait(done <-chan struct{}, w *waiter, n int64) error {
	moved := q.progress()
	if q.evict(n, true) > 0 {
		w.stop()
		return nil
	}
	return w.wait(done, moved, q.stallTimeout)
}

// retryOnENOSPC calls do, which needs about n bytes on the disk, and repeats it while the disk is
// full, until evictOrWait fails.
func (q *quota) retryOnENOSPC(done <-chan struct{}, n int64, do func() error) error {
	var w waiter
	defer w.stop()
	for {
		err := do()
		if err == nil || !diskFull(err) {
			return err
		}
		if err := q.evictOrWait(done, &w, n); err != nil {
			return err
		}
	}
}

func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func (q *quota) progress() <-chan struct{} {
	q.share.mu.Lock()
	defer q.share.mu.Unlock()
	return q.share.moved
}

// release releases n bytes of a file in state st.
func (q *quota) release(st state, n int64) {
	if n == 0 {
		return
	}
	q.share.mu.Lock()
	defer q.share.mu.Unlock()
	q.add(st, -n)
	q.share.signal()
}

// add counts n bytes in state st.
// LOCKS_REQUIRED(q.share.mu)
func (q *quota) add(st state, n int64) {
	q.used += n
	q.bytes[st] += n
	if !q.left {
		q.share.used += n
	}
}

// addFile adds a file of n bytes, including its header, in state st; removeFile removes it.
func (q *quota) addFile(st state, n int64) {
	q.share.mu.Lock()
	defer q.share.mu.Unlock()
	q.add(st, n)
	q.files[st]++
}

func (q *quota) removeFile(st state, n int64) {
	q.share.mu.Lock()
	defer q.share.mu.Unlock()
	q.add(st, -n)
	q.files[st]--
	if st == stateDraft && n <= dataStart { // a refused upload is no progress for the waiters
		return
	}
	q.share.signal()
}

// transition moves a file of n bytes from one state to another. If it is clean now, it wakes the
// waiters: it can be evicted.
func (q *quota) transition(from, to state, n int64) {
	q.share.mu.Lock()
	defer q.share.mu.Unlock()
	q.bytes[from] -= n
	q.files[from]--
	q.bytes[to] += n
	q.files[to]++
	if to == stateClean {
		q.share.signal()
	}
}

// A waiter is one wait in several steps. The zero value has not waited yet.
type waiter struct {
	deadline *time.Timer
	moved    <-chan struct{} // of the last step
}

// wait returns when moved is closed, which restarts the stall timeout, or after recheck, which does
// not.
func (w *waiter) wait(done, moved <-chan struct{}, stallTimeout time.Duration) error {
	select {
	case <-w.moved: // closed just after the last step ended
		w.stop()
	default:
	}
	if w.deadline == nil {
		w.deadline = time.NewTimer(stallTimeout)
	}
	w.moved = moved
	again := time.NewTimer(recheck)
	defer again.Stop()
	select {
	case <-moved:
		w.stop()
		return nil
	case <-again.C:
		return nil
	case <-done:
		return errStopped
	case <-w.deadline.C:
		return ErrNoSpace
	}
}

// stop ends the wait; the next one begins with the full stall timeout.
func (w *waiter) stop() {
	if w.deadline != nil {
		w.deadline.Stop()
		*w = waiter{}
	}
}
