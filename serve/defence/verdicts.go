package defence

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"ferry/cluster"
)

// Bucket is where nodes keep bans.
const Bucket = "bans"

// keyOf returns the key of a network.
func keyOf(network netip.Prefix) string {
	return fmt.Sprintf("%s-%d", hex.EncodeToString(network.Addr().AsSlice()), network.Bits())
}

// life is how long a verdict is kept at the engine: as long as it makes the next ban longer, or as
// some node may still know the ban that was lifted.
func (v verdict) life(now time.Time) time.Duration {
	if v.Until.IsZero() {
		return max(v.Keep.Sub(now), 0) + time.Hour
	}
	return max(v.Until.Sub(now), 0) + memory
}

// same reports whether other is the same decision.
func (v verdict) same(other verdict) bool {
	return v.Made.Equal(other.Made) && v.Until.Equal(other.Until) && v.Node == other.Node
}

// watch takes in what nodes have decided.
func (g *Guard) watch(ctx context.Context, value cluster.Value) {
	switch {
	case value.Key == "":
		g.merge()
		g.agreeOnKey(ctx)
		return
	case value.Key == guessKeyName:
		if value.Data == nil {
			g.agreeOnKey(ctx)
		} else {
			g.useKey(value.Data)
		}
		return
	case value.Data == nil: // a ban ends by its time
		return
	}
	if v, ok := decode(value); ok {
		if len(g.shared.seen) >= maxEntries {
			clear(g.shared.seen)
		}
		g.shared.seen[v.Network] = seen{v.Made, time.Now()}
		g.take(v)
	}
}

// decode returns what a value says, if it says something about its key.
func decode(value cluster.Value) (v verdict, ok bool) {
	if json.Unmarshal(value.Data, &v) != nil || !v.Network.IsValid() {
		return v, false
	}
	v.Network = v.Network.Masked()
	return v, keyOf(v.Network) == value.Key
}

// take has v hold here, unless this node knows better.
func (g *Guard) take(v verdict) {
	if g.o.Off && !v.ByHand && !v.Until.IsZero() {
		return
	}
	if mine, known := g.scores.verdictOf(v.Network); known && mine.same(v) {
		g.shared.known(v.Network)
		return
	}
	now := time.Now()
	if !g.scores.adopt(v, now) {
		return
	}
	g.shared.known(v.Network)
	if now.Before(v.Until) && v.Node != g.shared.node {
		g.bannedElsewhere(Ban{Network: v.Network, Until: v.Until, Times: v.Times, Reason: v.Reason}, v.Node)
	}
}

// fresh is how long before an engine has yielded all its values those came that it surely has.
const fresh = 2 * time.Second

// merge has all that holds here told, but for what the engine has just yielded: it is asked after
// the engine was away, when it may know less, or other things.
func (g *Guard) merge() {
	now := time.Now()
	for _, v := range g.scores.verdicts(now) {
		if s := g.shared.seen[v.Network]; now.Sub(s.at) < fresh && s.made.Equal(v.Made) {
			continue
		}
		g.shared.decided(v.Network, 0)
	}
	clear(g.shared.seen)
}

// tellVerdicts brings to the engine what is due. It returns when there is more, zero for never.
func (g *Guard) tellVerdicts(ctx context.Context) (next time.Time, err error) {
	now := time.Now()
	s := g.shared
	s.mu.Lock()
	todo := map[netip.Prefix]waiting{}
	for network, w := range s.verdicts {
		switch {
		case !w.due.After(now):
			todo[network] = w
		case next.IsZero() || w.due.Before(next):
			next = w.due
		}
	}
	s.mu.Unlock()
	for network, w := range todo {
		v, known := g.scores.verdictOf(network)
		if known {
			if err := g.put(ctx, v, w.event); err != nil {
				return next, err
			}
		}
		s.mu.Lock()
		if s.verdicts[network] == w {
			delete(s.verdicts, network)
		}
		s.mu.Unlock()
	}
	return next, nil
}

// put has v be what the engine knows, or takes in what is there and counts more. event: it is
// recorded if this node was the first.
func (g *Guard) put(ctx context.Context, v verdict, event bool) error {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	key := keyOf(v.Network)
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // times, numbers and strings
	}
	for range tries {
		var now cluster.Value
		now, err = g.shared.engine.Get(ctx, Bucket, key)
		life := v.life(time.Now())
		switch {
		case errors.Is(err, cluster.ErrNoValue):
			_, err = g.shared.engine.Create(ctx, Bucket, key, text, life)
		case err != nil:
			return err
		default:
			there, ok := decode(now)
			if ok && there.same(v) {
				return nil
			}
			if ok && !v.over(there) {
				g.take(there)
				return nil
			}
			_, err = g.shared.engine.Update(ctx, Bucket, key, text, now.Revision, life)
		}
		if err == nil && event {
			g.recordBan(Ban{Network: v.Network, Until: v.Until, Reason: v.Reason})
		}
		if !errors.Is(err, cluster.ErrConflict) {
			return err
		}
	}
	return err
}

// tries is how often a key is set that others set at the same time.
const tries = 10
