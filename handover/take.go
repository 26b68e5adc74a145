package handover

import (
	"context"
	"errors"
	"io"
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
	owned, done, left := map[string]bool{}, false, 0
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
	for _, e := range files {
		switch {
		case e.Dir, e.Name == doneName, strings.HasSuffix(e.Name, ownerSuffix):
			continue
		case owned[e.Name]: // its owner was killed before it could remove it
			p.discard(ctx, path.Join(dir, e.Name))
			continue
		}
		switch err := p.takeOne(ctx, tree, queue, e.Name, t, taken); {
		case err == errOpen:
			left++
		case errors.Is(err, errDamaged):
			left++
			p.tellDamaged(ctx, path.Join(dir, e.Name), err)
		case err != nil:
			return err
		}
	}
	if left == 0 && (done || !newest.IsZero() && time.Since(newest) > ownersTime) {
		if files, err = p.list(ctx, dir); err == nil {
			err = p.closeQueue(ctx, dir, files)
		}
	}
	return err
}

// tellDamaged logs once that a record cannot be taken.
func (p *Place) tellDamaged(ctx context.Context, file string, err error) {
	p.mu.Lock()
	told := p.damaged[file]
	p.damaged[file] = true
	p.mu.Unlock()
	if !told {
		p.log.ErrorContext(ctx, "a change that was handed over cannot be read: it stays where it is", "file", file, "place", p.remote.Info().Name, "error", err)
	}
}

// errOpen says that a copy of the record is here already, for Settle.
var errOpen = errors.New("it is open whose the record is")

// takeOne takes one record.
func (p *Place) takeOne(ctx context.Context, tree, queue, name string, t Tree, taken *Taken) error {
	file, claim := path.Join(tree, queue, name), p.claim(tree, queue, name)
	for _, open := range t.Store().Claimed() {
		if open.Claim == claim {
			return errOpen
		}
	}
	var draft *cache.Draft
	h, err := p.fetch(ctx, file, func(h *header) (w io.Writer, err error) {
		if string(h.Tree) != tree {
			return nil, errDamaged
		}
		if h.Kind != cache.File {
			return io.Discard, nil
		}
		draft, err = t.Store().Create(ctx, cache.CreateOptions{Name: string(h.Name)})
		return draft, err
	})
	if draft != nil {
		defer func() { _ = draft.Abort() }() // after Commit it does nothing
	}
	if errors.Is(err, remote.ErrNotExist) {
		return nil // another one was quicker
	}
	if err != nil {
		return err
	}
	rec := h.record()
	rec.Claim = claim
	took, err := t.TakeIn(ctx, writeback.Taking{
		Names: append([]string{rec.Name}, rec.Removes...), From: queue, InDoubt: h.InDoubt,
		Commit: func(ctx context.Context) (cache.Record, bool, error) { return p.commit(ctx, t.Store(), draft, rec) },
	})
	if err != nil || !took {
		return err
	}
	p.discard(ctx, file)
	taken.Changes++
	taken.Bytes += h.content()
	taken.From = h.Node
	return nil
}

// fetch reads a record and checks it.
func (p *Place) fetch(ctx context.Context, file string, create func(h *header) (io.Writer, error)) (*header, error) {
	r, err := p.remote.Open(ctx, file, 0, -1)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return decode(remote.ContextReader(ctx, r), create)
}

// commit makes a copy of a record, and that the record itself if no other node has it.
func (p *Place) commit(ctx context.Context, s *cache.Store, draft *cache.Draft, rec cache.Record) (got cache.Record, mine bool, err error) {
	if draft != nil {
		got, err = draft.Commit(ctx, rec, cache.Durable)
	} else {
		got, err = s.Add(ctx, rec, cache.Durable)
	}
	if err != nil {
		return got, false, err
	}
	return p.settle(ctx, s, got)
}

// settle finds out whose a record with a Claim is. One of this node loses the Claim; one of
// another is dropped.
func (p *Place) settle(ctx context.Context, s *cache.Store, rec cache.Record) (cache.Record, bool, error) {
	mine, err := p.decide(ctx, rec.Claim, rec.ID)
	if err != nil {
		return rec, false, err
	}
	if !mine {
		return rec, false, s.Drop(rec.ID, cache.Durable)
	}
	rec, err = s.SetClaim(ctx, rec.ID, "")
	return rec, err == nil, err
}

// Settle finds out whose the records are of which that is open: their process was killed, or the
// place did not answer. Those of this node are pending again. It goes on behind one that cannot be
// settled, and returns the errors.
func (p *Place) Settle(ctx context.Context, t Tree) error {
	var errs []error
	gave := map[string]bool{}
	for _, rec := range t.Store().Claimed() {
		file, err := p.file(rec.Claim)
		if err == nil {
			queue, _ := remote.Split(file)
			if strings.HasSuffix(file, "-"+rec.ID) {
				gave[queue] = true
			}
			err = p.settleOne(ctx, t, rec, file)
			if err != nil {
				delete(gave, queue)
			}
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	for queue := range gave {
		if len(errs) == 0 {
			errs = append(errs, p.end(ctx, queue))
		}
	}
	return errors.Join(errs...)
}

func (p *Place) settleOne(ctx context.Context, t Tree, rec cache.Record, file string) error {
	rec, mine, err := p.settle(ctx, t.Store(), rec)
	if err != nil || !mine {
		return err
	}
	if err := t.TakeBack(ctx, rec); err != nil {
		return err
	}
	p.discard(ctx, file)
	return nil
}
