package announce

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"ferry/cluster"
)

const (
	subject   = "changes"
	batch     = 500                    // changes in a message at most
	batchSize = 256 << 10              // bytes of their names
	lifeSign  = 15 * time.Second       // between messages, if there is nothing to tell
	silence   = 3 * lifeSign           // after which what others tell is taken for lost
	firstWait = 100 * time.Millisecond // before a message that was not taken is published again
	lastWait  = 2 * time.Second
	farewell  = time.Second // for what is left at the end
)

// AwayTime is how long a remote remembers what may have changed while nobody could tell: as long as
// no messages come, everything is told to have changed so often.
const AwayTime = 5 * time.Minute

// mourning is how long a process may be silent that has not said that it ends: it may be cut off,
// and change things that it cannot tell. So long everything is told to have changed every AwayTime.
const mourning = 24 * time.Hour

// Options say who tells by what.
type Options struct {
	Engine cluster.Engine
	Node   string // how others call this one
	Log    *slog.Logger
}

// Exchange tells other nodes what is changed here, and hears what they change. It works while Run
// runs; what is told before waits.
type Exchange struct {
	o    Options
	id   string        // of this process: nodes may have one name
	wake chan struct{} // holds one when there is something to publish

	mu      sync.Mutex
	waiting []news                 // guarded by mu; to be published
	whole   map[string]bool        // guarded by mu; places where everything may have changed, to be published
	joined  map[*listener]struct{} // guarded by mu
	begun   chan struct{}          // closed when messages are heard for the first time
	seen    time.Time              // guarded by mu; when an own message was heard last
	peers   map[string]*peer       // guarded by mu; by process
	status  Status                 // guarded by mu
}

// Status is what there is to say of an Exchange.
type Status struct {
	Heard    bool          // messages come
	Lag      time.Duration // of the last own message, from here to here
	Waiting  int           // changes that are not published yet
	Sent     uint64        // messages with changes
	Received uint64        // of others
	Told     uint64        // changes in those that were sent
	Changes  uint64        // in those that were received
	Gaps     uint64        // times that messages may have been missed
}

// NewExchange returns an Exchange.
func NewExchange(o Options) *Exchange {
	return &Exchange{
		o: o, id: rand.Text(), wake: make(chan struct{}, 1), begun: make(chan struct{}),
		whole: map[string]bool{}, joined: map[*listener]struct{}{}, peers: map[string]*peer{},
	}
}

// Status returns what there is to say now.
func (x *Exchange) Status() Status {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.status
	s.Waiting = len(x.waiting) + len(x.whole)
	return s
}

// Run publishes and hears until ctx ends; then it publishes what is left, if that is soon done.
func (x *Exchange) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { x.receive(ctx) })
	wg.Go(func() { x.mind(ctx) })
	x.send(ctx)
	wg.Wait()
	return context.Cause(ctx)
}
