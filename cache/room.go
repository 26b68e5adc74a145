package cache

import (
	"errors"
	"sync"
	"time"
)

// room counts the bytes that the files of a Store take, by state, and makes those wait who want to
// write more than may be there. All states share one limit. A file counts as its data and its
// header, as if both were written in full.
type room struct {
	// constant
	maxSize, minFree int64
	patience         time.Duration
	free             func() (int64, error)

	// evict frees about n bytes of clean copies that nobody needs at this moment and returns how
	// many it freed. It calls give itself. It is set before the first use, and called without a
	// lock.
	evict func(n int64) int64

	mu    sync.Mutex
	used  int64
	bytes [states]int64
	files [states]int
	moved chan struct{} // closed, and replaced, when bytes are given back
}

// recheck is how often the free bytes of the disk are asked for again while a write waits for them:
// who gives them free tells nobody.
const recheck = time.Second

// errStopped is what a wait for room ends with when it is cut short.
var errStopped = errors.New("stopped waiting for room in the cache")

func newRoom(o Options, free func() (int64, error)) *room {
	r := &room{
		maxSize: max(o.MaxSize, 0), minFree: max(o.MinFree, 0), patience: o.Patience,
		free: free, evict: func(int64) int64 { return 0 }, moved: make(chan struct{}),
	}
	if r.patience <= 0 {
		r.patience = time.Minute
	}
	return r
}

// take counts n bytes that are about to be written to a file in state st. Where the cache is full,
// it evicts, then waits until bytes are given back. It returns ErrNoSpace when nothing moved for
// the patience, and errStopped when done is closed. The last byte below the limit admits a whole
// write.
func (r *room) take(done <-chan struct{}, st state, n int64) error {
	return r.await(done, func() (int64, error) { return r.tryTake(st, n) })
}

// tryTake takes if there is room without waiting; else it returns how many bytes would have to go.
func (r *room) tryTake(st state, n int64) (lack int64, err error) {
	if r.minFree > 0 {
		free, err := r.free()
		switch {
		case errors.Is(err, errors.ErrUnsupported):
		case err != nil:
			return 0, err
		case free-n < r.minFree:
			return r.minFree - (free - n), nil
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.maxSize > 0 && r.used >= r.maxSize {
		return r.used + n - r.maxSize, nil
	}
	r.used += n
	r.bytes[st] += n
	return 0, nil
}

// await repeats try, which returns how many bytes it lacks, until it lacks none.
func (r *room) await(done <-chan struct{}, try func() (lack int64, err error)) error {
	var w waiter
	defer w.stop()
	for {
		moved := r.movement() // before the attempt, so that nothing between the two is missed
		lack, err := try()
		if err != nil || lack <= 0 {
			return err
		}
		if r.evict(lack) > 0 {
			w.stop()
			continue
		}
		if err := w.wait(done, moved, r.patience); err != nil {
			return err
		}
	}
}

// makeRoom is called when the disk itself is full: it evicts about n bytes, or waits for a movement
// or a moment, after which the write may be tried again. It is given the same waiter each time,
// which knows how long nothing moved.
func (r *room) makeRoom(done <-chan struct{}, w *waiter, n int64) error {
	moved := r.movement()
	if r.evict(n) > 0 {
		w.stop()
		return nil
	}
	return w.wait(done, moved, r.patience)
}

// whenFull does what needs about n bytes on the disk, again and again while the disk is full and
// there is hope.
func (r *room) whenFull(done <-chan struct{}, n int64, do func() error) error {
	var w waiter
	defer w.stop()
	for {
		err := do()
		if err == nil || !diskFull(err) {
			return err
		}
		if err := r.makeRoom(done, &w, n); err != nil {
			return err
		}
	}
}

func (r *room) movement() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moved
}

// give says that n bytes of a file in state st are free again.
func (r *room) give(st state, n int64) {
	if n == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used -= n
	r.bytes[st] -= n
	r.signal()
}

// signal wakes those who wait.
//
// LOCKS_REQUIRED(r.mu)
func (r *room) signal() {
	close(r.moved)
	r.moved = make(chan struct{})
}

// enter counts a file of n bytes, its header included, that is in state st from now on; leave takes
// it out, and move does both.
func (r *room) enter(st state, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used += n
	r.bytes[st] += n
	r.files[st]++
}

func (r *room) leave(st state, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used -= n
	r.bytes[st] -= n
	r.files[st]--
	if st == stateDraft && n <= dataStart { // an upload that was refused moves nothing for those who wait
		return
	}
	r.signal()
}

// move is a file of n bytes that goes from one state to another. Where it is clean now, those who
// wait look again.
func (r *room) move(from, to state, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes[from] -= n
	r.files[from]--
	r.bytes[to] += n
	r.files[to]++
	if to == stateClean {
		r.signal()
	}
}

// A waiter is one wait in several steps. The zero value has not waited yet.
type waiter struct {
	deadline *time.Timer
	moved    <-chan struct{} // of the last step
}

// wait returns when moved is closed, after which patience begins anew, or after a moment, after
// which it goes on.
func (w *waiter) wait(done, moved <-chan struct{}, patience time.Duration) error {
	select {
	case <-w.moved: // just when the last step had ended
		w.stop()
	default:
	}
	if w.deadline == nil {
		w.deadline = time.NewTimer(patience)
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

// stop ends the wait; the next one has the whole patience again.
func (w *waiter) stop() {
	if w.deadline != nil {
		w.deadline.Stop()
		*w = waiter{}
	}
}
