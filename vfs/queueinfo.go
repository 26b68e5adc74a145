package vfs

import (
	"cmp"
	"os"
	"slices"
	"time"
)

// claims returns what waits at this moment, the oldest first.
func (v *overlay) claims() []*claim {
	v.mu.Lock()
	waiting := v.pending.claims.snapshot()
	v.mu.Unlock()
	claims := make([]*claim, 0, waiting.size())
	for _, c := range waiting.all() {
		claims = append(claims, c)
	}
	slices.SortFunc(claims, func(a, b *claim) int { return cmp.Compare(a.rec.Seq, b.rec.Seq) })
	return claims
}

// inBatches calls do for each of claims, holding v.mu.
func (v *overlay) inBatches(claims []*claim, do func(*claim)) {
	for some := range slices.Chunk(claims, batch) {
		v.locked(func() {
			for _, c := range some {
				do(c)
			}
		})
	}
}

func (v *overlay) locked(do func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	do()
}

// queued returns what waits, the oldest first.
func (v *overlay) queued() []Queued {
	claims := v.claims()
	list := make([]Queued, 0, len(claims))
	v.inBatches(claims, func(c *claim) {
		list = append(list, Queued{
			ID: int64(c.rec.Seq), Name: c.rec.Name, Kind: c.rec.Kind, Size: c.bytes(), Expiry: c.due,
			Tries: c.tries, Delay: c.delay, LastError: c.failed, Uploading: c.run != nil,
			Because: c.because(),
		})
	})
	return list
}

func (v *overlay) waiting() Waiting {
	v.mu.Lock()
	defer v.mu.Unlock()
	return Waiting{
		Changes: v.pending.claims.size(), Bytes: v.pending.bytes, Uploading: v.running,
		Failing: v.pending.failed, LastError: v.pending.last, Causes: v.causes.current(),
	}
}

func (v *overlay) setExpiry(id int64, expiry time.Duration, relative bool) error {
	claims := v.claims()
	i, found := slices.BinarySearchFunc(claims, id, func(c *claim, id int64) int { return cmp.Compare(int64(c.rec.Seq), id) })
	if !found {
		return os.ErrNotExist
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c := claims[i]
	if c.dead {
		return os.ErrNotExist
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
