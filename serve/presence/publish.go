package presence

import (
	"context"
	"errors"
	"maps"
	"time"

	"ferry/cluster"
)

const (
	// gather is the least time between two times that changes are published.
	gather = 20 * time.Millisecond
	// retry is when what could not be published is tried again.
	retry = time.Second
	// goodbye is how long the end of a run may take to tell of it.
	goodbye = time.Second
)

// publish tells the others what there is here until ctx ends.
func (c *Counts) publish(ctx context.Context) error {
	beat := time.NewTicker(Beat)
	defer beat.Stop()
	again := time.NewTicker(renewal)
	defer again.Stop()
	c.renew()
	for {
		select {
		case <-ctx.Done():
			c.leave(ctx)
			return context.Cause(ctx)
		case <-beat.C:
			c.markBeat()
			continue
		case <-again.C:
			c.renew()
			continue
		case <-c.due:
		}
		wait := gather
		if !c.publishDirty(ctx) {
			wait = retry
		}
		pause(ctx, wait)
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (c *Counts) markBeat() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mark(beatPart)
}

// publishDirty publishes what has changed, the beat before all. What cannot be stays dirty.
func (c *Counts) publishDirty(ctx context.Context) bool {
	for part := beatPart; part >= 0; part-- {
		v, dirty := c.take(part)
		if !dirty {
			continue
		}
		life := partLife
		if part == beatPart {
			v, life = value{Run: c.run, At: time.Now().UnixMilli()}, beatLife
		}
		err := c.own.Set(ctx, keyOf(part, c.o.Node), v.encode(), life)
		if c.note(part, err); err != nil {
			return false
		}
	}
	return true
}

// take returns what a part has, and whether it is to be published.
func (c *Counts) take(part int) (v value, dirty bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if part == beatPart {
		dirty, c.beat = c.beat, false
		return value{}, dirty
	}
	dirty, c.dirty[part] = c.dirty[part], false
	return value{Run: c.run, Counts: maps.Clone(c.here[part])}, dirty
}

// note takes in how publishing a part has ended.
func (c *Counts) note(part int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.mark(part)
	}
	if err != nil && !c.away && !errors.Is(err, cluster.ErrAway) && !errors.Is(err, context.Canceled) {
		c.o.Log.Warn("the sessions of this node are not told to the others", "error", err)
	}
	c.away = err != nil
}

// leave tells the others that nothing here counts any more.
func (c *Counts) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	v := value{Run: c.run, Ended: true, At: time.Now().UnixMilli()}
	_ = c.own.Set(ctx, keyOf(beatPart, c.o.Node), v.encode(), beatLife) // else it is lost in a while
}
