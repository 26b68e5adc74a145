package writeback

import (
	"container/list"
	"context"
	"sync"

	"ferry/breaker"
	"ferry/remote"
)

// pathLocks keeps changes of the tree apart that would disturb each other: those of one path, and
// those of a path and something above or below it. Who came first goes first. The zero value is
// ready.
type pathLocks struct {
	mu    sync.Mutex
	last  uint64               // guarded by mu; the number that was given out last
	nodes map[string]*lockNode // guarded by mu; the paths that are locked or waited for, and those above them
}

// A lockNode is a path. Its lists hold *pathLock in the order in which they came, those that wait
// included.
type lockNode struct {
	here  list.List // of the path itself
	below list.List // of what is below it
}

type pathLock struct {
	number uint64
	keys   []string
	spots  []lockSpot
	done   chan struct{} // closed when it is given back, or given up
}

// A lockSpot is where a lock stands in a list.
type lockSpot struct {
	path string
	list *list.List
	elem *list.Element
}

// turnLimit is how long a change waits for others of its path, unless it may take long by its
// nature.
const turnLimit = breaker.ChangeLimit

// errTurn is why a change was given up that waited for another one of its path.
var errTurn error = turnError{}

type turnError struct{}

func (turnError) Error() string { return "another change of this path takes too long" }

// Hint returns one line for the client.
func (turnError) Hint() string { return "Another session is changing this path; try again." }

// Unwrap says what it is: a time-out.
func (turnError) Unwrap() error { return context.DeadlineExceeded }

// take waits until nobody who came before has one of keys, or something above or below it. It fails
// when ctx ends before, and within turnLimit if the call is guarded: that somebody else works there
// is no silence of the remote.
func (l *pathLocks) take(ctx context.Context, keys ...string) (release func(), err error) {
	mine := l.enter(keys)
	before := l.before(mine)
	if before == nil {
		return func() { l.drop(mine) }, nil
	}
	if w := breaker.WatchdogOf(ctx); w.Short() {
		w.Pause()
		defer w.Resume()
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, turnLimit, errTurn)
		defer cancel()
	}
	for before != nil {
		select {
		case <-before.done:
		case <-ctx.Done():
			l.drop(mine)
			return nil, context.Cause(ctx)
		}
		before = l.before(mine)
	}
	return func() { l.drop(mine) }, nil
}

// enter puts a lock behind all that have come before.
func (l *pathLocks) enter(keys []string) *pathLock {
	mine := &pathLock{keys: keys, done: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	mine.number = l.last
	for _, key := range keys {
		l.note(mine, key, &l.node(key).here)
		for dir := range above(key) {
			l.note(mine, dir, &l.node(dir).below)
		}
	}
	return mine
}

// note lets mine stand in a list of path.
// LOCKS_REQUIRED(l.mu)
func (l *pathLocks) note(mine *pathLock, path string, in *list.List) {
	mine.spots = append(mine.spots, lockSpot{path, in, in.PushBack(mine)})
}

// node returns that of a path, which there is from now on.
// LOCKS_REQUIRED(l.mu)
func (l *pathLocks) node(path string) *lockNode {
	n := l.nodes[path]
	if n == nil {
		if l.nodes == nil {
			l.nodes = map[string]*lockNode{}
		}
		n = &lockNode{}
		l.nodes[path] = n
	}
	return n
}

// above yields the directories above a path, up to the root.
func above(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for path != "." {
			if path, _ = remote.Split(path); !yield(path) {
				return
			}
		}
	}
}

// before returns one that came before mine and stands in its way, nil where there is none.
func (l *pathLocks) before(mine *pathLock) *pathLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range mine.keys {
		n := l.nodes[key]
		if other := mine.behind(&n.here); other != nil {
			return other
		}
		if other := mine.behind(&n.below); other != nil {
			return other
		}
		for dir := range above(key) {
			if other := mine.behind(&l.nodes[dir].here); other != nil {
				return other
			}
		}
	}
	return nil
}

// behind returns the first of a list, if it came before p.
func (p *pathLock) behind(in *list.List) *pathLock {
	first := in.Front()
	if first == nil {
		return nil
	}
	if other := first.Value.(*pathLock); other.number < p.number {
		return other
	}
	return nil
}

func (l *pathLocks) drop(mine *pathLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, spot := range mine.spots {
		spot.list.Remove(spot.elem)
		if n := l.nodes[spot.path]; n != nil && n.here.Len()+n.below.Len() == 0 {
			delete(l.nodes, spot.path)
		}
	}
	close(mine.done)
}
