package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"
)

// syncIdleAfter is how long a copy is idle before Run syncs it: by then the system has written most
// of its bytes, and the sync is cheap.
const syncIdleAfter = 30 * time.Second

// run indexes the copies of earlier processes; then it expires old copies and makes new ones
// durable. A copy that causes a disk error is dropped or ignored: a clean copy can be fetched
// again.
func (cs *copySet) run(ctx context.Context) {
	cs.scan(ctx)
	cs.enforceLimit()
	tick := time.NewTicker(cs.s.o.PollInterval)
	defer tick.Stop()
	for {
		cs.expire(time.Now())
		cs.syncSpooled(ctx, time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// enforceLimit evicts what exceeds the limit: the sizes were not known before the scan.
func (cs *copySet) enforceLimit() {
	for {
		lack, err := cs.s.quota.tryReserve(stateClean, 0)
		if err != nil || lack <= 0 || cs.s.quota.evict(lack, false) == 0 {
			return
		}
	}
}

// scan adds the copies on the disk to the index. It removes files that are no valid copies.
func (cs *copySet) scan(ctx context.Context) {
	for dir, err := range cs.s.disk.ReadDir(cleanDir) {
		if err != nil || ctx.Err() != nil {
			break
		}
		name := path.Join(cleanDir, dir.Name())
		if !dir.IsDir() {
			_ = cs.s.disk.Remove(name) // it does no harm if it stays
			continue
		}
		for e, err := range cs.s.disk.ReadDir(name) {
			if err != nil || ctx.Err() != nil {
				break
			}
			_ = cs.scanFile(path.Join(name, e.Name())) // if it cannot be read, it is retried on first use
		}
	}
	cs.order()
}

// order sorts the idle copies by their last use.
func (cs *copySet) order() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	all := make([]*idleCopy, 0, cs.recent.Len())
	for e := cs.recent.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(*idleCopy))
	}
	slices.SortFunc(all, func(a, b *idleCopy) int { return a.lastUsed.Compare(b.lastUsed) })
	cs.recent.Init()
	for _, it := range all {
		cs.addIdle(it)
	}
}

func (cs *copySet) scanFile(name string) error {
	k, ok := parseCopyKey(path.Base(name))
	if !ok || k.path() != name {
		return cs.s.disk.Remove(name)
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.used[k] != nil || cs.idle[k] != nil {
		return nil
	}
	f, err := cs.s.disk.OpenFile(name, os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	h, _, err := cs.s.readCopyHeader(f, k)
	if err != nil || len(h.held()) == 0 {
		return errors.Join(f.Close(), cs.forget(k))
	}
	it := &idleCopy{key: k, bytes: cs.punchGaps(f, h.held()), lastUsed: anchored(h.Committed), spooled: h.Spooled}
	cs.s.quota.addFile(stateClean, it.bytes)
	cs.addIdle(it)
	return f.Close()
}

// syncSpooled makes the headers of copies valid after a power loss: those of copies that have been
// idle for a while, and of copies in use. The headers themselves are not synced: they reach the
// disk when the system writes them.
func (cs *copySet) syncSpooled(ctx context.Context, now time.Time) {
	for _, it := range cs.dueForSync(now) {
		if ctx.Err() != nil {
			return
		}
		if cs.syncIdle(it) != nil {
			cs.drop(it.key)
		}
	}
	for _, c := range cs.retainUsed() {
		if err := errors.Join(c.sync(), cs.release(c)); err != nil {
			cs.drop(c.key)
		}
	}
}

// drop removes a copy from clean/, and ignores an error.
func (cs *copySet) drop(k copyKey) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	_ = cs.forget(k) // retried when the name is used, or by the next eviction
}

func (cs *copySet) dueForSync(now time.Time) (found []*idleCopy) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for e := cs.recent.Front(); e != nil; e = e.Next() {
		if it := e.Value.(*idleCopy); it.spooled && now.Sub(it.lastUsed) >= syncIdleAfter {
			found = append(found, it)
		}
	}
	return found
}

// syncIdle syncs an idle copy and then records that in its header, unless the copy was used
// meanwhile.
func (cs *copySet) syncIdle(it *idleCopy) error {
	f, err := cs.s.disk.OpenFile(it.key.path(), os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if e := cs.idle[it.key]; e == nil || e.Value.(*idleCopy) != it {
		return f.Close()
	}
	h, sl, err := cs.s.readCopyHeader(f, it.key)
	if err == nil {
		h.Spooled = false
		err = sl.write(f, &h)
	}
	it.spooled = false
	return errors.Join(err, f.Close())
}

// retainUsed returns the copies in use, with one more handle each.
func (cs *copySet) retainUsed() []*clean {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	all := make([]*clean, 0, len(cs.used))
	for _, c := range cs.used {
		c.handles++
		all = append(all, c)
	}
	return all
}

// sync syncs a copy in use and then records that in its header, unless bytes were punched out
// meanwhile.
func (c *clean) sync() error {
	c.mu.Lock()
	held, err := c.fitting()
	punched := c.punched
	due := (c.changed || c.spooled) && len(held) > 0
	c.mu.Unlock()
	if err != nil || !due {
		return err
	}
	if err := c.file.Sync(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.punched != punched {
		return nil
	}
	h := c.header(held)
	h.Spooled = false
	if err := c.slots.write(c.file, h); err != nil {
		return err
	}
	c.changed, c.spooled = !slices.Equal(c.held, held), false
	c.claims, c.durable = true, true
	return nil
}
