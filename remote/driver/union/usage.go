package union

import (
	"context"
	"errors"
	"sync"
	"time"

	"ferry/remote"
)

// usage remembers how full an upstream is.
type usage struct {
	mu   sync.Mutex
	last remote.Usage // guarded by mu
	at   time.Time    // guarded by mu; zero = never
}

var unknownUsage = remote.Usage{Total: -1, Used: -1, Free: -1}

// usageOf returns how full an upstream is, as far as it tells.
func (r *Remote) usageOf(ctx context.Context, u *upstream) remote.Usage {
	u.usage.mu.Lock()
	defer u.usage.mu.Unlock()
	if !u.usage.at.IsZero() && time.Since(u.usage.at) < r.o.CacheTime {
		return u.usage.last
	}
	one, err := remote.GetUsage(ctx, u.Remote)
	if err != nil {
		one = unknownUsage
	}
	if err == nil || errors.Is(err, remote.ErrUnsupported) {
		u.usage.last, u.usage.at = one, time.Now()
	}
	return one
}

// Usage implements remote.Usager: the sum of all upstreams. What one of them does not know is
// unknown.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	var sum remote.Usage
	known := false
	for _, u := range r.ups {
		one, err := remote.GetUsage(ctx, u.Remote)
		switch {
		case errors.Is(err, remote.ErrUnsupported):
			one = unknownUsage
		case err != nil:
			return unknownUsage, remote.Renamed("usage", ".", u.fail(err))
		default:
			known = true
		}
		sum = remote.Usage{Total: plus(sum.Total, one.Total), Used: plus(sum.Used, one.Used), Free: plus(sum.Free, one.Free)}
	}
	if !known {
		return unknownUsage, remote.Renamed("usage", ".", remote.ErrUnsupported)
	}
	return sum, nil
}

func plus(a, b int64) int64 {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}
