package writeback

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"

	"ferry/cache"
)

// A Taking is a record of another node that is about to become a pending change here.
type Taking struct {
	Names   []string // of the record: its own, and those that it removes
	From    string   // tells the queue that it comes from, whose records follow each other, from all others
	InDoubt bool     // an earlier request about its names may still reach the remote
	// Commit makes it a record of the store that has no Claim. ok is false if another node has it.
	Commit func(ctx context.Context) (rec cache.Record, ok bool, err error)
}

// TakeIn makes a record of another node a pending change. What waits here under its names is sent
// first: which of the two is newer nobody knows, so that the remote is to tell when the second one
// is sent. If that fails nothing is committed. Clients change none of the names meanwhile.
func (v *Tree) TakeIn(ctx context.Context, t Taking) (taken bool, err error) {
	release, err := v.lock(ctx, t.Names...)
	if err != nil {
		return false, err
	}
	defer release()
	v.mu.Lock()
	inTheWay := slices.DeleteFunc(slices.Clone(t.Names), func(name string) bool {
		c := v.pending.newest(name)
		return c == nil || c.taken == t.From
	})
	v.mu.Unlock()
	if len(inTheWay) > 0 {
		if err := v.flushFirst(ctx, inTheWay...); err != nil {
			return false, err
		}
	}
	if t.InDoubt { // before the record is there, so that the next process knows of it
		r := v.doubts.request(0, t.Names...).begin()
		r.unanswered()
	}
	rec, ok, err := t.Commit(ctx)
	if err != nil || !ok {
		return false, err
	}
	v.addTaken(rec, t.From)
	return true, nil
}

// addTaken makes a record of the store a pending change. Its names are locked.
func (v *Tree) addTaken(rec cache.Record, from string) {
	rec.Recovered = true // something of it may have reached the remote
	c := v.recoveredChange(rec)
	c.taken, c.over.forgot = from, true
	v.mu.Lock()
	if source := v.pending.own(rec.Source); rec.Kind == cache.Moved && source != nil && source.rec.Kind == cache.Moved {
		c.from = source
	}
	v.replace(c)
	v.mu.Unlock()
	if rec.Kind == cache.File {
		v.names.NotePending(rec.Name)
	}
}

// TakeBack makes a record of the store a pending change again that was offered to others and is
// still that of this node. Its Claim is cleared by then. Where clients have changed its name
// since, it is dropped instead.
func (v *Tree) TakeBack(ctx context.Context, rec cache.Record) error {
	release, err := v.lock(ctx, append([]string{rec.Name}, rec.Removes...)...)
	if err != nil {
		return err
	}
	defer release()
	v.mu.Lock()
	c := v.pending.newest(rec.Name)
	newer := c != nil && c.rec.Seq > rec.Seq
	v.mu.Unlock()
	if !newer {
		v.addTaken(rec, "")
		return nil
	}
	v.log.LogAttrs(ctx, slog.LevelWarn, "a change that was offered to other nodes is dropped: its name was changed here since",
		slog.String("path", rec.Name), slog.String("change", rec.Kind.String()))
	if err := v.store.Drop(rec.ID, cache.Durable); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Store returns the store of the tree.
func (v *Tree) Store() *cache.Store { return v.store }
