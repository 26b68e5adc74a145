package writeback

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"ferry/cache"
	"ferry/remote"
)

// An Heir takes over pending changes, for other nodes. A record that is about to be offered has a
// Claim first, so that the next process knows of it if this one ends in the middle.
type Heir interface {
	// Claim returns what the record with this ID and Seq is known by from then on, never "".
	Claim(id string, seq uint64) string
	// Offer gives a record away. When it returns nil, this node must not apply it any more. After
	// an error that is open.
	Offer(ctx context.Context, claim string, o Offered) error
	// Decide settles whose a record is whose Offer was not answered, or whose process was killed:
	// that of this node, or of others. After an error that stays open.
	Decide(ctx context.Context, claim, id string) (mine bool, err error)
}

// Offered is a pending change that other nodes may take.
type Offered struct {
	cache.Record
	InDoubt bool           // an earlier request about its names may still reach the remote
	Content *cache.Content // of a File; nil for other kinds
}

// decideTime is how long it may take to find out whose a record is.
const decideTime = 30 * time.Second

// offerAtOnce is how many files are offered at a time.
const offerAtOnce = 8

// HandOver gives the pending changes to heir, in their order, and reports how many it gave.
// Clients make no changes meanwhile. Changes that the remote already has, and is only rechecked
// for, stay. After an error the others stay too. No change is applied while it runs; the attempts
// that are under way are cancelled.
func (v *Tree) HandOver(ctx context.Context, heir Heir) (given int, err error) {
	resume, err := v.suspend(ctx)
	if err != nil {
		return 0, err
	}
	defer resume()
	changes := slices.DeleteFunc(v.changes(), func(c *change) bool { return c.isApplied })
	return inTurns(changes, func(c *change) *cache.Record { return &c.rec }, func(c *change) error { return v.giveAway(ctx, c, heir) })
}

// inTurns calls give for each of all in order, for files that depend on no other change several at
// a time, until one fails. It returns how many succeeded.
func inTurns[T any](all []T, record func(T) *cache.Record, give func(T) error) (given int, err error) {
	for len(all) > 0 && err == nil {
		n := 1
		for isPlain(record(all[0])) && n < min(len(all), offerAtOnce) && isPlain(record(all[n])) {
			n++
		}
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i, one := range all[:n] {
			wg.Go(func() { errs[i] = give(one) })
		}
		wg.Wait()
		for _, e := range errs {
			if e == nil {
				given++
			}
		}
		all, err = all[n:], errors.Join(errs...)
	}
	return given, err
}

// isPlain reports whether r is a new file that no other change must precede.
func isPlain(r *cache.Record) bool { return r.Kind == cache.File && len(r.Removes) == 0 }

// suspend has no change be applied until resume is called. It cancels attempts, and waits for
// their ends.
func (v *Tree) suspend(ctx context.Context) (resume func(), err error) {
	v.mu.Lock()
	v.suspended++
	for _, c := range v.pending.changes.snapshot().all() {
		if c.run != nil && !c.ending {
			c.run.cancel(errSuspended)
		}
	}
	v.mu.Unlock()
	resume = func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.suspended--
		v.signal()
	}
	for v.inProgress() {
		if err := remote.Sleep(ctx, suspendPoll); err != nil {
			resume()
			return nil, err
		}
	}
	return resume, nil
}

// suspendPoll is how often it is looked whether attempts are under way.
const suspendPoll = 10 * time.Millisecond

// errSuspended is why an attempt is cancelled whose change is given away.
var errSuspended = errors.New("the change is handed over to another node")

// inProgress reports whether attempts are under way.
func (v *Tree) inProgress() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.running > 0
}

// giveAway gives c to heir.
func (v *Tree) giveAway(ctx context.Context, c *change, heir Heir) error {
	names := append([]string{c.rec.Name}, c.rec.Removes...)
	release, err := v.lock(ctx, names...)
	if err != nil {
		return err
	}
	defer release()
	pinned, err := v.pin(ctx, c)
	if err != nil || !pinned {
		return err
	}
	defer v.unpin(c)
	if err := v.dropStale(c); err != nil {
		return err
	}
	const none = ^uint64(0) // so that its own requests count
	doubt := !v.doubts.about(none, names...).IsZero()
	kept, err := offer(ctx, v.store, c.rec.ID, c.rec.Seq, doubt, heir)
	if kept {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.retire(c)
	return err
}

// offer gives the record id of store to heir. kept means that it is still a pending record.
// Otherwise it is gone or, with an error, it is open whose it is.
func offer(ctx context.Context, store *cache.Store, id string, seq uint64, doubt bool, heir Heir) (kept bool, err error) {
	rec, err := store.SetClaim(ctx, id, heir.Claim(id, seq))
	if err != nil {
		return true, err // as far as is known: the next process finds it with a Claim or without
	}
	if err = offerContent(ctx, store, Offered{Record: rec, InDoubt: doubt}, heir); err == nil {
		return false, dropGiven(store, id)
	}
	// What was begun is settled even if there is no time left for more.
	deciding, cancel := context.WithTimeout(context.WithoutCancel(ctx), decideTime)
	defer cancel()
	mine, decideErr := heir.Decide(deciding, rec.Claim, id)
	switch {
	case decideErr != nil:
		return false, errors.Join(err, decideErr)
	case !mine:
		return false, dropGiven(store, id)
	}
	if _, clearErr := store.SetClaim(deciding, id, ""); clearErr != nil {
		return false, errors.Join(err, clearErr)
	}
	return true, err
}

func offerContent(ctx context.Context, store *cache.Store, o Offered, heir Heir) error {
	if o.Kind == cache.File {
		content, err := store.OpenContent(o.ID)
		if err != nil {
			return err
		}
		defer content.Close()
		o.Content = content
	}
	return heir.Offer(ctx, o.Claim, o)
}

// dropGiven drops a record that others have. If that fails, its Claim keeps it from being applied,
// and the next process drops it.
func dropGiven(store *cache.Store, id string) error {
	err := store.Drop(id, cache.Durable)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// HandOverStore is HandOver for a store that no Tree has.
func HandOverStore(ctx context.Context, store *cache.Store, heir Heir) (given int, err error) {
	doubts := store.Doubts()
	inDoubt := func(r cache.Record) bool {
		return slices.ContainsFunc(doubts, func(d cache.Doubt) bool {
			return slices.ContainsFunc(d.Names, func(name string) bool { return name == r.Name || slices.Contains(r.Removes, name) })
		})
	}
	return inTurns(store.Pending(), func(r cache.Record) *cache.Record { return &r }, func(r cache.Record) error {
		_, err := offer(ctx, store, r.ID, r.Seq, inDoubt(r), heir)
		return err
	})
}
