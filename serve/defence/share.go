package defence

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"ferry/cluster"
)

// Share has this Guard and those of other nodes ban together: each is told of the points that the
// others have given, and of the bans that were made and lifted. What is trusted or denied is not
// shared, and neither are bans for points with a Guard that is Off. While the engine is away each
// decides by itself, and they tell each other when it is back; of what they have decided about the
// same network, the last decision counts.
//
// ended is called when another node has banned a network. Share comes before Run and all clients.
func (g *Guard) Share(engine cluster.Engine, node string, ended func(netip.Prefix)) {
	g.scores.share(node)
	g.shared = &sharing{
		engine: engine, node: node, run: runName(), ended: ended,
		heard: map[string]heard{}, seen: map[netip.Prefix]seen{},
		due: make(chan struct{}, 1), verdicts: map[netip.Prefix]waiting{},
	}
}

// share has the table note what was lifted.
func (s *scores) share(node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.node = node
	s.lifted = map[netip.Prefix]verdict{}
}

const (
	// gather is the least time between two reports.
	gather = 20 * time.Millisecond
	// retry is when what could not be told is told again.
	retry = time.Second
	// answer is how long the engine may take for a ban.
	answer = 5 * time.Second
)

// share tells other nodes and listens to them until ctx ends.
func (g *Guard) share(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	// All return when ctx has ended.
	wg.Go(func() {
		_ = cluster.Values(ctx, g.shared.engine, Bucket, func(v cluster.Value) { g.watch(ctx, v) })
	})
	wg.Go(func() { _ = cluster.Messages(ctx, g.shared.engine, subject, g.hear) })
	g.tell(ctx)
}

// tell tells other nodes until ctx ends.
func (g *Guard) tell(ctx context.Context) {
	s := g.shared
	left := &report{Node: s.node, Run: s.run}
	timer, told := time.NewTimer(0), false
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.due:
		case <-timer.C:
		}
		next, err := g.tellVerdicts(ctx)
		if err == nil {
			err = s.tellPoints(ctx, left)
		}
		wait := gather
		if err != nil {
			wait = retry
			s.wake()
			if !told && !errors.Is(err, cluster.ErrAway) && ctx.Err() == nil {
				g.o.Log.Warn("bans and points are not told to other nodes", "error", err)
				told = true
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if !next.IsZero() {
			timer.Reset(max(time.Until(next), 0))
		}
	}
}
