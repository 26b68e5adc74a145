package announce

import (
	"context"
	"errors"
	"time"

	"ferry/cluster"
	"ferry/remote"
)

// tell has changes of a remote published, and told to others here.
func (x *Exchange) tell(from *Remote, changes ...remote.Change) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range changes {
		n := news{from.place, c}
		x.hand(from, n)
		switch {
		case x.whole[n.place]:
		case c == remote.Everything():
			x.whole[n.place] = true
		case len(x.waiting) >= maxWaiting:
			for _, n := range append(x.waiting, n) {
				x.whole[n.place] = true
			}
			x.waiting = nil
		default:
			x.waiting = append(x.waiting, n)
		}
	}
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// take returns what is to be published next.
func (x *Exchange) take() []news {
	x.mu.Lock()
	defer x.mu.Unlock()
	var all []news
	size := 0
	for place := range x.whole {
		if len(all) < batch && size < batchSize {
			all = append(all, news{place, remote.Everything()})
			size += len(place)
			delete(x.whole, place)
		}
	}
	n := 0
	for n < len(x.waiting) && len(all) < batch && size < batchSize {
		all = append(all, x.waiting[n])
		size += len(x.waiting[n].change.Name)
		n++
	}
	if x.waiting = x.waiting[n:]; len(x.waiting) == 0 {
		x.waiting = nil
	}
	return all
}

// send publishes what waits, and signs of life, until ctx ends.
func (x *Exchange) send(ctx context.Context) {
	life := time.NewTimer(0)
	defer life.Stop()
	toldAll := true
	for ctx.Err() == nil {
		all := x.take()
		if len(all) == 0 {
			select {
			case <-x.wake:
				continue
			case <-ctx.Done():
				continue
			case <-life.C:
			}
		}
		toldAll = x.publish(ctx, all)
		life.Reset(lifeSign)
	}
	x.flush(ctx, toldAll)
}

// publish publishes changes, as often as it takes. What is not taken when ctx ends is tried once
// more. It reports whether it is told.
func (x *Exchange) publish(ctx context.Context, all []news) bool {
	for delay := firstWait; ; delay = min(2*delay, lastWait) {
		err := x.publishOnce(ctx, all)
		if err == nil || len(all) == 0 {
			return true
		}
		if !errors.Is(err, cluster.ErrAway) && delay == firstWait && ctx.Err() == nil {
			x.o.Log.WarnContext(ctx, "changes cannot be told to other nodes; trying again", "error", err)
		}
		if remote.Sleep(ctx, delay) != nil {
			return x.last(ctx, func(ctx context.Context) error { return x.publishOnce(ctx, all) })
		}
	}
}

func (x *Exchange) publishOnce(ctx context.Context, all []news) error {
	if err := x.message(ctx, message{}, all); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(all) > 0 {
		x.status.Sent++
		x.status.Told += uint64(len(all))
	}
	return nil
}

// message publishes m, with changes.
func (x *Exchange) message(ctx context.Context, m message, all []news) error {
	m.From, m.Node, m.At = x.id, x.o.Node, time.Now()
	data, err := encode(m, all)
	if err != nil {
		return err
	}
	return x.o.Engine.Publish(ctx, subject, data)
}

// last does something after ctx has ended, and reports whether it is done.
func (x *Exchange) last(ctx context.Context, f func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	err := f(ctx)
	if err != nil {
		x.o.Log.InfoContext(ctx, "what was changed at the end is not told to other nodes", "error", err)
	}
	return err == nil
}

// flush publishes what is left when ctx has ended, and that this process has ended if that is all:
// toldAll says so of what was before.
func (x *Exchange) flush(ctx context.Context, toldAll bool) {
	x.last(ctx, func(ctx context.Context) error {
		for {
			all := x.take()
			if len(all) == 0 && toldAll {
				return x.message(ctx, message{Ended: true}, nil)
			}
			if len(all) == 0 {
				return nil
			}
			if err := x.publishOnce(ctx, all); err != nil {
				return err
			}
		}
	})
}
