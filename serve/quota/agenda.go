package quota

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ferry/cluster"
)

// nodes is what a Store needs to count together with other nodes.
type nodes struct {
	engine  cluster.Engine
	node    string
	offline bool // go on beyond what is leased while the engine is away
	log     *slog.Logger

	wake chan struct{}

	exchanges, failed atomic.Uint64

	mu    sync.Mutex
	due   map[*Account]time.Time // guarded by mu; when an account is to be synced
	busy  map[*Account]bool      // guarded by mu; is being synced
	users map[string]Usage       // guarded by mu; what nodes have told of users, by key
}

const (
	// soon is how long after a change nodes are told of it: what is lost with a node that never
	// comes back is no more than that.
	soon = 2 * time.Second
	// idle is how long a lease is kept that nobody uses.
	idle = 10 * time.Second
)

// later has an account synced after a while, or before that if that is due already.
func (n *nodes) later(a *Account, d time.Duration) {
	at := time.Now().Add(d)
	n.mu.Lock()
	defer n.mu.Unlock()
	if due, is := n.due[a]; is && !at.Before(due) {
		return
	}
	n.due[a] = at
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// next takes an account that is due and not busy. Without one it returns when one will be, zero for
// never.
func (n *nodes) next(now time.Time) (a *Account, at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for one, due := range n.due {
		switch {
		case n.busy[one]:
		case !due.After(now):
			delete(n.due, one)
			n.busy[one] = true
			return one, time.Time{}
		case at.IsZero() || due.Before(at):
			at = due
		}
	}
	return nil, at
}

// synced notes that an account is not being synced any more.
func (n *nodes) synced(a *Account) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.busy, a)
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// isBusy reports whether an account is being synced.
func (n *nodes) isBusy(a *Account) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.busy[a]
}

// forget drops what is due for an account that is closed.
func (n *nodes) forget(a *Account) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.due, a)
}

// heard notes what nodes have told of a user.
func (n *nodes) heard(key string, used Usage, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if known {
		n.users[key] = used
	} else {
		delete(n.users, key)
	}
}

// known returns what nodes have told of a user. It may be called on nil.
func (n *nodes) known(user string) (Usage, bool) {
	if n == nil {
		return Usage{}, false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	u, known := n.users[keyOf(user)]
	return u.most(Usage{}), known
}
