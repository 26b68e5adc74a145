package writeback

import (
	"container/list"
	"context"
	"slices"
	"sync"

	"ferry/breaker"
	"ferry/remote"
)

// pathLocks is a fair mutex for paths: a lock of a path excludes locks of the same path and of
// paths above and below it. Locks are granted in the order of the calls. The zero value is ready to
// use.
type pathLocks struct {
	mu    sync.Mutex
	last  uint64               // guarded by mu; the last sequence number
	nodes map[string]*lockNode // guarded by mu; the paths that are locked or waited for, and their parents
}

// A lockNode is a path. Its lists hold *pathLock in the order of the calls, including waiting ones.
type lockNode struct {
	here  list.List // of the path itself
	below list.List // of paths below it
}

type pathLock struct {
	number uint64
	keys   []string
	spots  []lockPosition
	done   chan struct{} // closed when it is released or abandoned
}

// A lockPosition is the position of a lock in a list.
type lockPosition struct {
	path string
	list *list.List
	elem *list.Element
}

// lock locks names, the paths above and below them, and their related paths: the other paths of a
// change that touches one of them.
func (v *Tree) lock(ctx context.Context, names ...string) (release func(), err error) {
	for {
		keys := make([]string, len(names))
		for i, name := range names {
			keys[i] = v.pending.keyOf(name)
		}
		release, err := v.paths.take(ctx, keys...)
		if err != nil {
			return nil, err
		}
		more := v.relatedPaths(names)
		if len(more) == 0 {
			return release, nil
		}
		release()
		names = append(slices.Clip(names), more...)
	}
}

// relatedPaths returns the other paths of the changes that touch names.
func (v *Tree) relatedPaths(names []string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var more []string
	for _, name := range names {
		c := v.pending.newest(name)
		if c == nil {
			continue
		}
		for other := range v.pending.paths(c) {
			if !slices.Contains(names, other) && !slices.Contains(more, other) {
				more = append(more, other)
			}
		}
	}
	return more
}

// lockLimit is how long a change waits for others of its path, unless it may take long by nature.
const lockLimit = breaker.ChangeLimit

// errLockTimeout is the error of a change that waited too long for another one of its path.
var errLockTimeout error = lockTimeoutError{}

type lockTimeoutError struct{}

func (lockTimeoutError) Error() string { return "another change of this path takes too long" }

// Hint returns one line for the client.
func (lockTimeoutError) Hint() string { return "Another session is changing this path; try again." }

// Unwrap marks it as a time-out.
func (lockTimeoutError) Unwrap() error { return context.DeadlineExceeded }

// take locks keys: it waits for all earlier locks of one of keys, or of a path above or below it.
// It fails when ctx ends before, and after lockLimit if the call is guarded: waiting for another
// client must not count as silence of the remote.
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
		ctx, cancel = context.WithTimeoutCause(ctx, lockLimit, errLockTimeout)
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

// enter queues a new lock after all earlier ones.
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

// note appends mine to a list of path.
// LOCKS_REQUIRED(l.mu)
func (l *pathLocks) note(mine *pathLock, path string, in *list.List) {
	mine.spots = append(mine.spots, lockPosition{path, in, in.PushBack(mine)})
}

// node returns the node of a path, and creates it if necessary.
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

// before returns an earlier lock that conflicts with mine, or nil.
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

// behind returns the first lock of a list, if it is earlier than p.
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
