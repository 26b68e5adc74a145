package cache

import "sync"

// A dirSync syncs one directory for all who ask at the same time. A sync that has begun may miss
// what entered the directory since; so those who come while one runs share the next one.
type dirSync struct {
	sync func() error

	mu      sync.Mutex
	running bool
	next    *syncRound
}

// A syncRound is one sync that has not begun.
type syncRound struct {
	begin chan struct{} // receives one value: who takes it does the sync
	done  chan struct{} // closed when the sync has ended
	err   error         // valid when done is closed
}

func newDirSync(sync func() error) *dirSync { return &dirSync{sync: sync} }

// wait returns when what entered and left the directory before the call survives a loss of power.
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

// handOver lets one of those who wait for the next round do it.
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
