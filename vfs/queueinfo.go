package vfs

import (
	"cmp"
	"context"
	"os"
	"slices"
	"time"

	"ferry/cache"
)

// queued returns what waits, the oldest first.
func (v *overlay) queued() []Queued {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := make([]Queued, 0, len(v.pending.claims))
	for _, c := range v.pending.claims {
		q := Queued{
			ID: int64(c.rec.Seq), Name: c.rec.Name, Kind: c.rec.Kind, Size: c.bytes(), Expiry: c.due,
			Tries: c.tries, Delay: c.delay, LastError: c.failed, Uploading: c.run != nil,
		}
		list = append(list, q)
	}
	slices.SortFunc(list, func(a, b Queued) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (v *overlay) waiting() Waiting {
	v.mu.Lock()
	defer v.mu.Unlock()
	w := Waiting{Changes: len(v.pending.claims), Bytes: v.pending.bytes, Uploading: v.running}
	for _, c := range v.pending.claims {
		if c.failed != nil {
			w.Failing++
			w.LastError = c.failed
		}
	}
	return w
}

func (v *overlay) setExpiry(id int64, expiry time.Duration, relative bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.pending.claims {
		if int64(c.rec.Seq) != id {
			continue
		}
		from := time.Now()
		if relative {
			from = c.due
		}
		c.due = from.Add(expiry)
		v.queue.push(c)
		v.signal()
		return nil
	}
	return os.ErrNotExist
}

// retry has a refused record wait again.
func (v *overlay) retry(id string) error {
	lost, err := v.store.Lost()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(lost, func(r cache.LostRecord) bool { return r.ID == id })
	if i < 0 {
		return os.ErrNotExist
	}
	release, err := v.lock(context.Background(), lost[i].Name)
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
	v.replace(newClaim(rec, rec.Committed))
	return nil
}
