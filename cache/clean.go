package cache

import (
	"container/list"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"ferry/disk"
)

// copySet holds the clean copies of a Store. A copy is in use while it has handles; otherwise it is
// idle, and may be evicted at any time. A copy in use is outdated when its file has left clean/
// because the name has another version now: its readers continue.
//
// Lock order: copySet.mu, clean.mu, quota.mu.
type copySet struct {
	s *Store

	mu       sync.Mutex                // also held while a file enters or leaves clean/
	used     map[copyKey]*clean        // guarded by mu
	outdated map[*clean]struct{}       // guarded by mu
	idle     map[copyKey]*list.Element // guarded by mu; of *idleCopy
	recent   list.List                 // guarded by mu; of *idleCopy, most recently used first
	noHoles  atomic.Bool               // the disk cannot punch holes
}

// A copyKey is a file name in clean/.
type copyKey [16]byte

func copyKeyOf(name string) copyKey {
	k, _ := parseCopyKey(key(name)) // key makes them
	return k
}

func parseCopyKey(s string) (k copyKey, ok bool) {
	n, err := hex.Decode(k[:], []byte(s))
	return k, err == nil && n == len(k) && hex.EncodeToString(k[:]) == s
}

func (k copyKey) path() string {
	name := hex.EncodeToString(k[:])
	return path.Join(cleanDir, name[:2], name)
}

// An idleCopy is a file in clean/ without a handle.
type idleCopy struct {
	key      copyKey
	bytes    int64 // as counted by quota
	lastUsed time.Time
	spooled  bool                            // its header is not valid after a power loss
	busy     func(within time.Duration) bool // whether it is being read as a record, or was within that time; nil = no
	inFlight inFlight
	verified bool
}

func newCopySet(s *Store) *copySet {
	return &copySet{
		s: s, used: map[copyKey]*clean{}, outdated: map[*clean]struct{}{}, idle: map[copyKey]*list.Element{},
	}
}

// Copy returns the copy of version fingerprint of the file name. If there is none, it creates an
// empty one; a copy of another version is dropped. The caller closes it.
func (s *Store) Copy(name string, fingerprint Fingerprint) (*Copy, error) {
	c, err := s.copies.acquire(name, fingerprint)
	if err != nil {
		return nil, err
	}
	return &Copy{c: c}, nil
}

// Last returns the version of name that the cache holds bytes of, if any.
func (s *Store) Last(name string) (Fingerprint, bool) {
	cs := s.copies
	cs.mu.Lock()
	defer cs.mu.Unlock()
	k := copyKeyOf(name)
	if c := cs.used[k]; c != nil {
		return c.fingerprint, c.total() > 0
	}
	f, err := s.disk.OpenFile(k.path(), os.O_RDONLY)
	if err != nil {
		return Fingerprint{}, false
	}
	defer f.Close()
	h, _, err := s.readCopyHeader(f, k)
	if err != nil {
		return Fingerprint{}, false
	}
	return h.fingerprint(), len(h.Held) > 0
}

// Forget drops the copy of name, if there is one. Its readers continue.
func (s *Store) Forget(name string) error {
	cs := s.copies
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.forget(copyKeyOf(name))
}

// MoveCopy renames the copy of from to to, and drops the old copy of to. If from is in use, its
// copy is dropped instead.
func (s *Store) MoveCopy(from, to string) error {
	cs := s.copies
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if from == to {
		return nil
	}
	old, key := copyKeyOf(from), copyKeyOf(to)
	if err := cs.forget(key); err != nil || cs.used[old] != nil {
		return errors.Join(err, cs.forget(old))
	}
	if err := cs.move(old, key, to); err != nil {
		return errors.Join(err, cs.forget(old), cs.forget(key))
	}
	return nil
}

// move renames an idle copy.
// LOCKS_REQUIRED(cs.mu)
func (cs *copySet) move(old, key copyKey, name string) error {
	f, err := cs.s.disk.OpenFile(old.path(), os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	h, sl, err := cs.s.readCopyHeader(f, old)
	if err == nil {
		h.Name, h.Spooled, h.Boot = name, true, cs.s.disk.Boot()
		err = cs.place(old.path(), key, f, &sl, &h)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	it := cs.removeIdle(old)
	if it == nil { // it has not been scanned yet
		it = &idleCopy{bytes: dataStart + ranges(h.held()).total(), lastUsed: anchored(h.Committed)}
		cs.s.quota.addFile(stateClean, it.bytes)
	}
	it.key, it.spooled = key, true
	cs.addIdle(it)
	return nil
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

// promoteToClean makes the file at from, a finished record or draft, the copy of h.Name that h
// describes. f is open for writing, and stays the caller's. bytes is its size in the quota, where
// it is in stateClean already. busy reports whether it is still being read as a record; nil = it is
// not.
func (cs *copySet) promoteToClean(from string, f disk.File, sl *slots, h header, bytes int64, busy func(time.Duration) bool) error {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	key := copyKeyOf(h.Name)
	if err := cs.forget(key); err != nil {
		return err
	}
	if err := cs.place(from, key, f, sl, &h); err != nil {
		return err
	}
	cs.addIdle(&idleCopy{key: key, bytes: bytes, lastUsed: h.Committed, spooled: true, busy: busy})
	return nil
}

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

// close writes the headers of the copies in use.
func (cs *copySet) close() error {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	var err error
	for _, c := range cs.used {
		c.mu.Lock()
		err = errors.Join(err, c.describe(time.Now()))
		c.mu.Unlock()
	}
	return err
}
