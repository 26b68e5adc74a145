package dropbox

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/network"
)

const (
	firstPause = 100 * time.Millisecond
	mostPause  = 20 * time.Second
	mostAfter  = 2 * time.Minute // that an answer may ask for
)

// A pace keeps requests back while Dropbox takes none. It is for all that one Remote asks.
type pace struct {
	network.Pace
	mu   sync.Mutex
	told bool // guarded by mu; that there are too many requests
}

// slow notes that a request was refused as there are too many, for the so many-th time, and how
// long Dropbox wants to be left alone; 0 = it did not say.
func (p *pace) slow(ctx context.Context, tried int, after time.Duration) {
	remote.Congested(ctx)
	p.Hold(max(min(after, mostAfter), backoff(tried)))
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.told {
		p.told = true
		remote.Warn(ctx, "too many requests for Dropbox: those that it refuses are made again later")
	}
}

// backoff is how long to wait after the so many-th attempt.
func backoff(tried int) time.Duration {
	d := min(firstPause<<min(tried-1, 16), mostPause)
	return d - rand.N(d/2)
}
