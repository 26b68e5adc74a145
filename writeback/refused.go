package writeback

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"ferry/cache"
	"ferry/remote"
)

// A file that the remote refused for good was acknowledged nevertheless. It is shown until
// something newer has its name: its record is in lost/, and pending holds a change for it that is
// never applied. A caller that changes it first makes it pending again, so that a removal, new
// content and a rename work as for any pending file.

// refuse shows the file of c, which was refused because of reason, if nothing else has its name.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) refuse(c *change, reason string) {
	if c.rec.Kind != cache.File || nameTaken(reason) {
		return
	}
	rec := c.rec
	rec.Removes = nil // these files reappear: they would be removed with the file that replaced them, and it did not
	v.addRefused(rec)
}

// addRefused adds a change for a lost record to pending.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) addRefused(rec cache.Record) {
	if st, _ := v.pending.look(rec.Name); st != unknown {
		return
	}
	c := newChange(rec, time.Time{})
	c.refused = true
	v.pending.add(c)
	v.refused[rec.ID] = c
}

// nameTaken reports whether a file was refused because the remote has something else under its
// name, which remains visible.
func nameTaken(reason string) bool {
	return strings.Contains(reason, remote.ErrIsDir.Error()) || strings.Contains(reason, remote.ErrNotDir.Error())
}

// recoverRefused shows the files in lost/ of earlier processes.
func (v *Tree) recoverRefused() {
	lost, err := v.store.Lost()
	if err != nil {
		v.log.Warn("what the remote refused cannot be listed", "error", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := len(lost) - 1; i >= 0; i-- { // the newest of a name first
		if r := &lost[i]; isRefusedFile(r) && !nameTaken(r.Reason) {
			r.Removes = nil
			v.addRefused(r.Record)
		}
	}
}

func isRefusedFile(r *cache.LostRecord) bool {
	return !r.Damaged && !r.Superseded && r.Kind == cache.File
}

// openContent opens the content of c.
func (v *Tree) openContent(c *change) (*cache.Content, error) {
	if c.refused {
		return v.store.OpenLost(c.rec.ID)
	}
	return v.store.OpenContent(c.rec.ID)
}

// reviveLocked is revive for callers that have not locked the name.
func (v *Tree) reviveLocked(ctx context.Context, c *change) error {
	release, err := v.lock(ctx, c.rec.Name)
	if err != nil {
		return err
	}
	defer release()
	return v.revive(c)
}

// forgetRefused records that the lost records at and below names are not the newest of their names
// any more.
// LOCKS_REQUIRED(v.mu)
func (v *Tree) forgetRefused(names ...string) {
	for id, c := range v.refused {
		for _, name := range names {
			if k, n := v.pending.keyOf(c.rec.Name), v.pending.keyOf(name); k == n || remote.Below(k, n) {
				v.retire(c)
				delete(v.refused, id)
				break
			}
		}
	}
}

// refusedBelow returns the refused changes below the directory dir.
func (v *Tree) refusedBelow(dir string) []*change {
	v.mu.Lock()
	defer v.mu.Unlock()
	var found []*change
	for _, c := range v.refused {
		if remote.Below(v.pending.keyOf(c.rec.Name), v.pending.keyOf(dir)) {
			found = append(found, c)
		}
	}
	return found
}

// moveRefused makes the refused changes below the directory from, now called to, pending again
// there.
func (v *Tree) moveRefused(ctx context.Context, from, to string) {
	for _, c := range v.refusedBelow(from) {
		rec, err := v.store.Retry(c.rec.ID)
		if err == nil {
			rec.Origin = renamedOrigin(rec)
			rec.Name = remote.Join(to, rec.Name[len(from)+1:])
			if remote.Below(rec.FactsOf, from) {
				rec.FactsOf = remote.Join(to, rec.FactsOf[len(from)+1:])
			}
			rec, err = v.store.Update(ctx, rec, v.durability())
		}
		if err != nil { // the next process finds it under its old name
			v.log.LogAttrs(ctx, slog.LevelWarn, "a refused file did not go with its directory, see ferry cache ls",
				slog.String("path", c.rec.Name), slog.Any("error", err))
			continue
		}
		v.mu.Lock()
		v.replace(newChange(rec, v.dueNow()), c)
		delete(v.refused, rec.ID)
		v.mu.Unlock()
	}
}

// supersedeLost marks the lost records of names as superseded by a change of the remote: they must
// not be retried any more.
func (v *Tree) supersedeLost(ctx context.Context, names ...string) {
	if err := v.store.MarkSuperseded(names...); err != nil {
		v.log.WarnContext(ctx, "a refused file could not be marked as superseded; drop it instead of retrying it, see ferry cache ls",
			"path", names[0], "error", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.forgetRefused(names...)
}

// RetryRefused implements Pending.
func (v *Tree) RetryRefused(id string) error {
	r, err := v.lostRecord(id)
	if err != nil {
		return err
	}
	release, err := v.lock(context.Background(), r.Name)
	if err != nil {
		return err
	}
	defer release()
	rec, err := v.store.Retry(id)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	next := newChange(rec, rec.Committed)
	if c := v.refused[id]; c != nil {
		v.replace(next, c)
		delete(v.refused, id)
	} else {
		v.replace(next)
	}
	return nil
}

// DropRefused implements Pending.
func (v *Tree) DropRefused(id string) error {
	r, err := v.lostRecord(id)
	if err != nil {
		return err
	}
	release, err := v.lock(context.Background(), r.Name)
	if err != nil {
		return err
	}
	defer release()
	if err := v.store.DropLost(id); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if c := v.refused[id]; c != nil {
		v.retire(c)
		delete(v.refused, id)
	}
	return nil
}

func (v *Tree) lostRecord(id string) (cache.LostRecord, error) {
	lost, err := v.store.Lost()
	if err != nil {
		return cache.LostRecord{}, err
	}
	for _, r := range lost {
		if r.ID == id {
			return r, nil
		}
	}
	return cache.LostRecord{}, fs.ErrNotExist
}

// noteBase stores in the record of c what the remote has under its name: only if that is unchanged
// may the file later be retried automatically.
func (v *Tree) noteBase(ctx context.Context, c *change) {
	if c.rec.Kind != cache.File || c.rec.Base != cache.BaseUnknown {
		return
	}
	rec := c.rec
	var e remote.Entry
	err := v.breaker.Ask(ctx, func(ctx context.Context) (err error) {
		e, err = v.remote.Stat(ctx, rec.Name)
		return err
	})
	switch {
	case err == nil && !e.Dir:
		rec.Base, rec.BaseVersion = cache.BasePresent, e.Version
	case errors.Is(err, remote.ErrNotExist):
		rec.Base = cache.BaseAbsent
	default:
		return
	}
	if _, err := v.store.Update(ctx, rec, v.durability()); err != nil {
		v.logProbeFailure(ctx, rec.Name, err)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c.rec.Base, c.rec.BaseVersion = rec.Base, rec.BaseVersion
}

// retryLost makes changes that were refused in earlier processes pending once more, if the remote
// has nothing newer of the name. It queries until the remote answers.
func (v *Tree) retryLost(ctx context.Context) {
	lost, err := v.store.Lost()
	if err != nil {
		return // recoverRefused has logged it
	}
	for i := range lost {
		if r := &lost[i]; isRefusedFile(r) && r.Recovered && r.Reason != errAside.Error() && !v.retryUnchanged(ctx, r) {
			return
		}
	}
}

// retryUnchanged makes r pending again, unless the remote has another file of its name than before;
// it returns false if ctx has ended.
func (v *Tree) retryUnchanged(ctx context.Context, r *cache.LostRecord) bool {
	for tries := 1; ; tries++ {
		e, err := v.remote.Stat(ctx, r.Name)
		if errors.Is(err, remote.ErrNotExist) {
			if err = v.checkRoot(ctx, nil); err == nil {
				v.retryAtStart(ctx, r)
				return true
			}
		}
		if err == nil || remote.RefusesObject(err) {
			if err == nil && !e.Dir && r.Base == cache.BasePresent && r.BaseVersion != "" && e.Version == r.BaseVersion {
				v.retryAtStart(ctx, r)
				return true
			}
			v.log.LogAttrs(ctx, slog.LevelWarn, "the remote has something else under the name of a file that it refused before: "+
				"it is not sent again by itself, see ferry cache ls", slog.String("path", r.Name), slog.String("id", r.ID))
			v.mu.Lock()
			if c := v.refused[r.ID]; c != nil {
				v.retire(c)
				delete(v.refused, r.ID)
			}
			v.mu.Unlock()
			return true
		}
		if remote.Sleep(ctx, backoff(tries)) != nil {
			return false
		}
	}
}

func (v *Tree) retryAtStart(ctx context.Context, r *cache.LostRecord) {
	switch err := v.RetryRefused(r.ID); {
	case err == nil:
		v.log.LogAttrs(ctx, slog.LevelInfo, "a file that the remote refused before is sent once more", slog.String("path", r.Name))
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist): // there is something newer
	default:
		v.log.LogAttrs(ctx, slog.LevelWarn, "a file that the remote refused before cannot be sent again", slog.String("path", r.Name),
			slog.Any("error", err))
	}
}
