package handover

import (
	"context"
	"errors"
	"strings"

	"ferry/cache"
	"ferry/remote"
)

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
