package cache

import "sync"

// A dirSync combines concurrent syncs of one directory. A sync that is running may miss entries
// that were added since it began; so callers that arrive during it share the next one.
type dirSync struct {
	sync func() error

	mu      sync.Mutex
	running bool
	next    *syncRound
}

// A syncRound is one sync that has not begun.
type syncRound struct {
	begin chan struct{} // receives one value: the receiver does the sync
	done  chan struct{} // closed when the sync has ended
	err   error         // valid when done is closed
}

func newDirSync(sync func() error) *dirSync { return &dirSync{sync: sync} }

// wait returns when entries added or removed before the call are durable.
func (d *dirSync) wait() error {
	d.mu.Lock()
	if !d.running {
		d.running = true
		d.mu.Unlock()
		err := d.sync()
		d.handOver()
		return err
	}
	if d.next == nil {
		d.next = &syncRound{begin: make(chan struct{}, 1), done: make(chan struct{})}
	}
	round := d.next
	d.mu.Unlock()
	select {
	case <-round.done:
	case <-round.begin:
		round.err = d.sync()
		close(round.done)
		d.handOver()
	}
	return round.err
}

// handOver lets one waiter of the next round do the sync.
func (d *dirSync) handOver() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.next == nil {
		d.running = false
		return
	}
	d.next.begin <- struct{}{}
	d.next = nil
}
