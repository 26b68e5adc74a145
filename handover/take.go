package handover

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"ferry/cache"
	"ferry/remote"
	"ferry/writeback"
)

// A Tree takes changes: a writeback.Tree.
type Tree interface {
	Store() *cache.Store
	TakeIn(ctx context.Context, t writeback.Taking) (taken bool, err error)
	TakeBack(ctx context.Context, rec cache.Record) error
}

// Taken is what has come of Take.
type Taken struct {
	Changes int
	Bytes   int64
	From    string // the node of the last one
}

// Take brings what was handed over for a tree into the cache of this node, as pending changes of
// t. It takes nothing while another node does. Each change that it counts is durable here.
func (p *Place) Take(ctx context.Context, tree string, t Tree) (taken Taken, err error) {
	queues, err := p.list(ctx, tree)
	if err != nil {
		return taken, err
	}
	waits := false
	for _, e := range queues {
		waits = waits || e.Dir
		if strings.HasSuffix(e.Name, ownersSuffix) && !e.ModTime.IsZero() && time.Since(e.ModTime) > ownersTime {
			p.discard(ctx, path.Join(tree, e.Name))
		}
	}
	if !waits {
		return taken, nil
	}
	l, err := p.acquire(ctx, tree)
	if err != nil || l == nil {
		return taken, err
	}
	err = l.hold(ctx, func(ctx context.Context) error {
		var errs []error
		for _, e := range queues {
			if !e.Dir {
				continue
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			errs = append(errs, p.takeQueue(ctx, tree, e.Name, t, &taken))
		}
		return errors.Join(errs...)
	})
	return taken, err
}

// takeQueue takes the records of a queue, in their order, up to the first that cannot be taken
// now.
func (p *Place) takeQueue(ctx context.Context, tree, queue string, t Tree, taken *Taken) error {
	dir := path.Join(tree, queue)
	files, err := p.list(ctx, dir)
	if err != nil {
		return err
	}
	owned, done := map[string]bool{}, false
	newest := time.Time{}
	for _, e := range files {
		if name, is := strings.CutSuffix(e.Name, ownerSuffix); is {
			owned[name] = true
		}
		done = done || e.Name == doneName
		if e.ModTime.After(newest) {
			newest = e.ModTime
		}
	}
	var due []remote.Entry
	for _, e := range files {
		switch {
		case e.Dir, e.Name == doneName, strings.HasSuffix(e.Name, ownerSuffix):
		case owned[e.Name]: // its owner was killed before it could remove it
			p.discard(ctx, path.Join(dir, e.Name))
		default:
			due = append(due, e)
		}
	}
	q := &taking{place: p, tree: tree, queue: queue, to: t, taken: taken}
	if err := q.all(ctx, due); err != nil {
		return err
	}
	if q.left == 0 && (done || !newest.IsZero() && time.Since(newest) > ownersTime) {
		if files, err = p.list(ctx, dir); err == nil {
			err = p.closeQueue(ctx, dir, files)
		}
	}
	return err
}
