package cache

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"time"

	"ferry/disk"
)

// acquire returns the copy of that version with one more handle.
func (cs *copySet) acquire(name string, fingerprint Fingerprint) (*clean, error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	k := copyKeyOf(name)
	if c := cs.used[k]; c != nil {
		if c.fingerprint.Equal(fingerprint) {
			c.handles++
			return c, nil
		}
		if err := cs.forget(k); err != nil {
			return nil, err
		}
	}
	c, err := cs.load(k, name, fingerprint)
	if err == nil && c == nil {
		c, err = cs.create(k, name, fingerprint)
	}
	if err != nil {
		return nil, err
	}
	c.handles = 1
	cs.used[k] = c
	return c, nil
}

// load opens the copy on the disk, or returns nil. A damaged copy, or one of another version, is
// dropped.
// LOCKS_REQUIRED(cs.mu)
func (cs *copySet) load(k copyKey, name string, fingerprint Fingerprint) (*clean, error) {
	f, err := cs.s.disk.OpenFile(k.path(), os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, cs.forget(k)
	}
	if err != nil {
		return nil, err
	}
	h, sl, err := cs.s.readCopyHeader(f, k)
	if err != nil || h.Name != name || !h.fingerprint().Equal(fingerprint) {
		return nil, errors.Join(f.Close(), cs.forget(k))
	}
	c := &clean{
		set: cs, key: k, name: name, fingerprint: fingerprint, file: f, slots: sl, held: h.held(), lastUsed: anchored(h.Committed),
		claims: true, durable: true, spooled: h.Spooled,
	}
	if it := cs.removeIdle(k); it != nil {
		c.bytes, c.busy, c.inFlight, c.verified = it.bytes, it.busy, it.inFlight, it.verified
		return c, nil
	}
	c.bytes = cs.punchGaps(f, c.held)
	cs.s.quota.addFile(stateClean, c.bytes)
	return c, nil
}

// create makes an empty copy.
// LOCKS_REQUIRED(cs.mu)
func (cs *copySet) create(k copyKey, name string, fingerprint Fingerprint) (*clean, error) {
	const flags = os.O_RDWR | os.O_CREATE | os.O_EXCL
	c := &clean{set: cs, key: k, name: name, fingerprint: fingerprint, bytes: dataStart, lastUsed: time.Now()}
	if _, err := c.header(nil).encode(0); err != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: err}
	}
	f, err := cs.s.disk.OpenFile(k.path(), flags)
	if errors.Is(err, fs.ErrNotExist) {
		if err := cs.s.disk.Mkdir(path.Dir(k.path())); err != nil {
			return nil, err
		}
		f, err = cs.s.disk.OpenFile(k.path(), flags)
	}
	if err != nil {
		return nil, err
	}
	c.file = f
	cs.s.quota.addFile(stateClean, c.bytes)
	return c, nil
}

// forget removes a copy from clean/.
// LOCKS_REQUIRED(cs.mu)
func (cs *copySet) forget(k copyKey) error {
	if err := cs.s.disk.Remove(k.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if it := cs.removeIdle(k); it != nil {
		cs.s.quota.removeFile(stateClean, it.bytes)
	}
	if c := cs.used[k]; c != nil {
		delete(cs.used, k)
		cs.outdated[c] = struct{}{}
		c.outdated = true
	}
	return nil
}

// release drops a handle of c. With the last handle the copy becomes idle.
func (cs *copySet) release(c *clean) error {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.handles--
	if c.handles > 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.outdated {
		delete(cs.outdated, c)
		cs.s.quota.removeFile(stateClean, c.bytes)
		return c.file.Close()
	}
	delete(cs.used, c.key)
	err := c.describe(time.Now())
	err = errors.Join(err, c.file.Close())
	it := &idleCopy{
		key: c.key, bytes: c.bytes, lastUsed: time.Now(), spooled: c.spooled, busy: c.busy, inFlight: c.inFlight, verified: c.verified,
	}
	cs.addIdle(it)
	if err != nil || len(c.held) == 0 {
		err = errors.Join(err, cs.forget(c.key))
	}
	return err
}

// addIdle makes it the most recently used idle copy.
// LOCKS_REQUIRED(cs.mu)
func (cs *copySet) addIdle(it *idleCopy) { cs.idle[it.key] = cs.recent.PushFront(it) }

// removeIdle removes an idle copy from the index; nil if there is none.
// LOCKS_REQUIRED(cs.mu)
func (cs *copySet) removeIdle(k copyKey) *idleCopy {
	e := cs.idle[k]
	if e == nil {
		return nil
	}
	delete(cs.idle, k)
	return cs.recent.Remove(e).(*idleCopy)
}

// place writes the header of a copy to the file at from and moves it into clean/.
// LOCKS_REQUIRED(cs.mu)
func (cs *copySet) place(from string, key copyKey, f disk.File, sl *slots, h *header) error {
	if err := sl.write(f, h); err != nil {
		return err
	}
	to := key.path()
	if err := cs.s.disk.Mkdir(path.Dir(to)); err != nil {
		return err
	}
	return cs.s.disk.Rename(from, to)
}
