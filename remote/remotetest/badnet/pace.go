package badnet

import (
	"sync"
	"time"
)

// A pace lets bytes pass at a rate.
type pace struct {
	rate int64 // bytes per second; 0 = no limit

	mu   sync.Mutex
	next time.Time // guarded by mu; when the next byte may pass
}

// slack is how much of a wait that took too long is made up for.
const slack = 5 * time.Millisecond

func newPace(rate int64) *pace { return &pace{rate: rate, next: time.Now()} }

// wait returns when n bytes have had their time.
func (p *pace) wait(n int64) {
	if p.rate == 0 {
		return
	}
	p.mu.Lock()
	if earliest := time.Now().Add(-slack); p.next.Before(earliest) {
		p.next = earliest
	}
	p.next = p.next.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	until := p.next
	p.mu.Unlock()
	time.Sleep(time.Until(until))
}
