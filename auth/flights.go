package auth

import (
	"context"
	"sync"
)

// flights lets those who want the same at once share one call. The zero value is ready.
type flights[K comparable, V any] struct {
	mu      sync.Mutex
	running map[K]*flight[V] // guarded by mu
}

type flight[V any] struct {
	done chan struct{} // closed when the others are set

	value     V
	err       error
	cancelled bool // the context of the one who called ended, which says nothing to the others
}

// do calls f, unless a call with that key is running: then it waits for its result, and calls f if
// the other's context ended before there was one.
func (g *flights[K, V]) do(ctx context.Context, key K, f func() (V, error)) (V, error) {
	for {
		g.mu.Lock()
		other := g.running[key]
		if other == nil {
			return g.lead(ctx, key, f)
		}
		g.mu.Unlock()
		select {
		case <-other.done:
			if !other.cancelled {
				return other.value, other.err
			}
		case <-ctx.Done():
			var none V
			return none, context.Cause(ctx)
		}
	}
}

// lead calls f for all. LOCKS_REQUIRED(g.mu), which it releases.
func (g *flights[K, V]) lead(ctx context.Context, key K, f func() (V, error)) (V, error) {
	own := &flight[V]{done: make(chan struct{}), cancelled: true}
	if g.running == nil {
		g.running = map[K]*flight[V]{}
	}
	g.running[key] = own
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		delete(g.running, key)
		g.mu.Unlock()
		close(own.done)
	}()
	own.value, own.err = f()
	own.cancelled = own.err != nil && ctx.Err() != nil
	return own.value, own.err
}
