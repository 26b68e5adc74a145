package vfs

import (
	"context"
	"sync"
)

// turns lets one at a time do something to a name. The zero value is ready.
type turns struct {
	mu   sync.Mutex
	held map[string]chan struct{} // guarded by mu; each is closed at the end of a turn
}

// take waits for a turn, which ends with done. It fails when ctx ends before.
func (t *turns) take(ctx context.Context, name string) (done func(), err error) {
	mine := make(chan struct{})
	for {
		t.mu.Lock()
		before := t.held[name]
		if before == nil {
			if t.held == nil {
				t.held = make(map[string]chan struct{})
			}
			t.held[name] = mine
			t.mu.Unlock()
			return func() { t.end(name) }, nil
		}
		t.mu.Unlock()
		select {
		case <-before:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (t *turns) end(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.held[name])
	delete(t.held, name)
}
