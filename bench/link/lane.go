package link

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	blockSize = 256 << 10
	// inFlight is how many bytes may be on their way in one direction of a connection: with 30 ms,
	// enough for 250 MB/s.
	inFlight = 4 << 20
	// gather is how far bytes may be taken on before their time, so that not each of them costs a
	// wait.
	gather = time.Millisecond
)

var blocks = sync.Pool{New: func() any { return new([blockSize]byte) }}

// A lane is one direction of a connection.
type lane struct {
	// constant
	from, to net.Conn
	delay    time.Duration
	open     time.Time     // nothing leaves before
	count    *atomic.Int64 // of bytes passed on; nil = nobody counts
	own      pace
	total    *pace

	mu     sync.Mutex
	moved  *sync.Cond
	onWay  int   // guarded by mu; bytes between from and to
	broken error // guarded by mu; why nothing can be passed on
}

// A flight is a block on its way.
type flight struct {
	block   *[blockSize]byte
	n       int
	arrives time.Time
}

// run passes bytes on up to the end, which it passes on as well. The error is what broke the lane.
func (w *lane) run() error {
	w.moved = sync.NewCond(&w.mu)
	way := make(chan flight, 4*inFlight/blockSize)
	var arriving sync.WaitGroup
	arriving.Go(func() { w.arrive(way) })
	err := w.depart(way)
	close(way)
	arriving.Wait()
	if err == nil {
		err = w.state()
	}
	return err
}

// depart takes bytes from the sender at the rate of the network.
func (w *lane) depart(way chan<- flight) error {
	for {
		b := blocks.Get().(*[blockSize]byte)
		n, err := w.from.Read(b[:])
		now := time.Now()
		if n > 0 {
			if now.Before(w.open) {
				now = w.open
			}
			leaves := w.total.take(w.own.take(now, n), n)
			way <- flight{b, n, leaves.Add(w.delay)}
			if broken := w.enter(n); broken != nil {
				return broken
			}
			if ahead := time.Until(leaves); ahead > gather {
				time.Sleep(ahead)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// enter counts n bytes in and waits until not too many are on their way.
func (w *lane) enter(n int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onWay += n
	for w.onWay > inFlight && w.broken == nil {
		w.moved.Wait()
	}
	return w.broken
}

// leave counts n bytes out.
func (w *lane) leave(n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onWay -= n
	w.broken = err
	w.moved.Signal()
}

func (w *lane) state() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broken
}

// arrive hands to the receiver what is due.
func (w *lane) arrive(way <-chan flight) {
	var err error
	for f := range way {
		if err == nil {
			time.Sleep(time.Until(f.arrives))
			if _, err = w.to.Write(f.block[:f.n]); err == nil && w.count != nil {
				w.count.Add(int64(f.n))
			}
			if err != nil {
				w.from.Close() // whoever sends must not wait for ever
			}
		}
		blocks.Put(f.block)
		w.leave(f.n, err)
	}
	if half, ok := w.to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite() // it fails when the connection is gone already
	}
}

// A pace lets bytes leave at a rate.
type pace struct {
	rate int64 // bytes per second; 0 = no limit

	mu   sync.Mutex
	next time.Time // guarded by mu; when the byte behind the last one may leave
}

// slack is how much of a time in which nothing could be sent is made up for.
const slack = 5 * time.Millisecond

// take returns when n bytes that are there at the time now have left.
func (p *pace) take(now time.Time, n int) time.Time {
	if p.rate == 0 {
		return now
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if earliest := now.Add(-slack); p.next.Before(earliest) {
		p.next = earliest
	}
	p.next = p.next.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	if p.next.Before(now) {
		return now
	}
	return p.next
}
