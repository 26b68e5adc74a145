package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"

	"ferry/disk"
)

// restAge is how long ago a copy was last used before Run syncs it: by then its bytes are on the
// disk by themselves, and little is left to wait for.
const restAge = 30 * time.Second

// run finds the copies of the process before, and from then on drops those that are too old, and
// makes durable what has been written. A copy with which the disk fails is dropped, or not counted:
// nothing that anybody relies on ends with it.
func (cs *copySet) run(ctx context.Context) {
	cs.scan(ctx)
	cs.obey()
	tick := time.NewTicker(cs.s.o.PollInterval)
	defer tick.Stop()
	for {
		cs.expire(time.Now())
		cs.settle(ctx, time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// obey evicts what is more than may be there: it was not known before the scan.
func (cs *copySet) obey() {
	for {
		lack, err := cs.s.room.tryTake(stateClean, 0)
		if err != nil || lack <= 0 || cs.evict(lack) == 0 {
			return
		}
	}
}

// scan puts the copies into the index that are not there yet. What is no copy that counts is
// removed.
func (cs *copySet) scan(ctx context.Context) {
	for dir, err := range cs.s.disk.ReadDir(cleanDir) {
		if err != nil || ctx.Err() != nil {
			break
		}
		name := path.Join(cleanDir, dir.Name())
		if !dir.IsDir() {
			_ = cs.s.disk.Remove(name) // it is in nobody's way
			continue
		}
		for e, err := range cs.s.disk.ReadDir(name) {
			if err != nil || ctx.Err() != nil {
				break
			}
			_ = cs.scanFile(path.Join(name, e.Name())) // what cannot be read is looked at again when it is asked for
		}
	}
	cs.order()
}

// order brings the idle copies into the order of their last use.
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
		cs.put(it)
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
	it := &idleCopy{key: k, bytes: cs.settleGaps(f, h.held()), lastUsed: anchored(h.Committed), spooled: h.Spooled}
	cs.s.room.enter(stateClean, it.bytes)
	cs.put(it)
	return f.Close()
}

// settleGaps frees what an earlier process wrote to a copy and no header claims, and returns what
// the copy counts as.
func (cs *copySet) settleGaps(f disk.File, held ranges) int64 {
	size, err := f.Size()
	if err != nil {
		return dataStart + held.total()
	}
	for at := (span{0, size - dataStart}); at.len() > 0; {
		gap, any := held.missing(at)
		if !any {
			break
		}
		if f.PunchHole(dataStart+gap.off, gap.len()) != nil {
			return max(size, dataStart+held.total())
		}
		at.off = gap.end
	}
	return dataStart + held.total()
}

// settle makes the headers of copies count after a loss of power: of those that nobody has used for
// a while, and of those that are in use. The headers themselves reach the disk when the system
// writes them: nobody has been promised anything.
func (cs *copySet) settle(ctx context.Context, now time.Time) {
	for _, it := range cs.resting(now) {
		if ctx.Err() != nil {
			return
		}
		if cs.settleIdle(it) != nil {
			cs.drop(it.key)
		}
	}
	for _, c := range cs.holdUsed() {
		if err := errors.Join(c.settle(), cs.release(c)); err != nil {
			cs.drop(c.key)
		}
	}
}

// drop takes a copy out of clean/, unless the disk does not even do that.
func (cs *copySet) drop(k copyKey) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	_ = cs.forget(k) // it is tried again when the name is used, or the room is needed
}

func (cs *copySet) resting(now time.Time) (found []*idleCopy) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for e := cs.recent.Front(); e != nil; e = e.Next() {
		if it := e.Value.(*idleCopy); it.spooled && now.Sub(it.lastUsed) >= restAge {
			found = append(found, it)
		}
	}
	return found
}

// settleIdle syncs an idle copy, and then says so in its header, unless somebody has used it
// meanwhile.
func (cs *copySet) settleIdle(it *idleCopy) error {
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

// holdUsed returns the copies in use, with one more handle each.
func (cs *copySet) holdUsed() []*clean {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	all := make([]*clean, 0, len(cs.used))
	for _, c := range cs.used {
		c.handles++
		all = append(all, c)
	}
	return all
}

// settle syncs a copy in use, and then says so in its header, unless bytes were punched out
// meanwhile.
func (c *clean) settle() error {
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
