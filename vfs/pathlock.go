package vfs

import (
	"context"
	"slices"
	"sync"

	"ferry/remote"
)

// pathLocks keeps changes of the tree apart that would disturb each other: those of one path, and those of a path and
// something above or below it. Who came first goes first. The zero value is ready.
type pathLocks struct {
	mu   sync.Mutex
	held []*pathLock // guarded by mu; those that are held and those that are waited for, in the order in which they came
}

type pathLock struct {
	keys []string
	done chan struct{} // closed when it is given back, or given up
}

// take waits until nobody who came before has one of keys, or something above or below it. It fails when ctx ends
// before.
func (l *pathLocks) take(ctx context.Context, keys ...string) (release func(), err error) {
	mine := &pathLock{keys, make(chan struct{})}
	l.mu.Lock()
	l.held = append(l.held, mine)
	for {
		before := l.before(mine)
		l.mu.Unlock()
		if before == nil {
			return func() { l.drop(mine) }, nil
		}
		select {
		case <-before.done:
		case <-ctx.Done():
			l.drop(mine)
			return nil, context.Cause(ctx)
		}
		l.mu.Lock()
	}
}

// before returns one that came before mine and stands in its way, nil where there is none.
// LOCKS_REQUIRED(l.mu)
func (l *pathLocks) before(mine *pathLock) *pathLock {
	for _, other := range l.held {
		if other == mine {
			return nil
		}
		if other.disturbs(mine) {
			return other
		}
	}
	return nil
}

func (l *pathLocks) drop(mine *pathLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = slices.DeleteFunc(l.held, func(other *pathLock) bool { return other == mine })
	close(mine.done)
}

func (p *pathLock) disturbs(other *pathLock) bool {
	for _, a := range p.keys {
		for _, b := range other.keys {
			if a == b || remote.Below(a, b) || remote.Below(b, a) {
				return true
			}
		}
	}
	return false
}
