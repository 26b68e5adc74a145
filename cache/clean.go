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

// copySet is the clean copies of a Store. A copy is in use as long as it has handles; then it is
// idle, and may go at any time. A copy in use whose file is not in clean/ any more, because the
// name stands for another version now, is outdated: those who read it go on.
//
// Lock order: copySet.mu, clean.mu, room.mu.
type copySet struct {
	s *Store

	mu       sync.Mutex                // also held while a file enters or leaves clean/
	used     map[copyKey]*clean        // guarded by mu
	outdated map[*clean]struct{}       // guarded by mu
	idle     map[copyKey]*list.Element // guarded by mu; of *idleCopy
	recent   list.List                 // guarded by mu; of *idleCopy, the one used last in front
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

// An idleCopy is a file in clean/ that nobody uses.
type idleCopy struct {
	key      copyKey
	bytes    int64 // as counted by room
	lastUsed time.Time
	spooled  bool                            // its header does not count after a loss of power
	busy     func(within time.Duration) bool // whether somebody reads it as something else, or did so lately; nil = nobody
	lent     lent
	verified bool
}

func newCopySet(s *Store) *copySet {
	return &copySet{
		s: s, used: map[copyKey]*clean{}, outdated: map[*clean]struct{}{}, idle: map[copyKey]*list.Element{},
	}
}

// Copy returns the copy of the version print of the file called name. It is an empty one where
// there is none; one of another version goes. The caller closes it.
func (s *Store) Copy(name string, print Fingerprint) (*Copy, error) {
	c, err := s.copies.acquire(name, print)
	if err != nil {
		return nil, err
	}
	return &Copy{c: c}, nil
}

// Last returns the version of name of which anything is held.
func (s *Store) Last(name string) (Fingerprint, bool) {
	cs := s.copies
	cs.mu.Lock()
	defer cs.mu.Unlock()
	k := copyKeyOf(name)
	if c := cs.used[k]; c != nil {
		return c.print, c.total() > 0
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
	return h.print(), len(h.Held) > 0
}

// Forget drops the copy of name, if there is one. Who reads it goes on.
func (s *Store) Forget(name string) error {
	cs := s.copies
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.forget(copyKeyOf(name))
}

// MoveCopy gives the copy of from another name, and drops that of to. A copy that is in use is
// dropped instead.
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
	it := cs.take(old)
	if it == nil { // it has not been scanned yet
		it = &idleCopy{bytes: dataStart + ranges(h.held()).total(), lastUsed: anchored(h.Committed)}
		cs.s.room.enter(stateClean, it.bytes)
	}
	it.key, it.spooled = key, true
	cs.put(it)
	return nil
}

// place gives the file at from its header as a copy, and its place in clean/.
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

// adopt makes the file at from, which is done with as a record, the copy of h.Name that h
// describes. f is open for writing, and stays the caller's. bytes is what it counts as in
// stateClean already. busy reports whether somebody still reads it as the record; nil = nobody
// does.
func (cs *copySet) adopt(from string, f disk.File, sl *slots, h header, bytes int64, busy func(time.Duration) bool) error {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	key := copyKeyOf(h.Name)
	if err := cs.forget(key); err != nil {
		return err
	}
	if err := cs.place(from, key, f, sl, &h); err != nil {
		return err
	}
	cs.put(&idleCopy{key: key, bytes: bytes, lastUsed: h.Committed, spooled: true, busy: busy})
	return nil
}

// acquire returns a copy of that version, with one more handle.
func (cs *copySet) acquire(name string, print Fingerprint) (*clean, error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	k := copyKeyOf(name)
	if c := cs.used[k]; c != nil {
		if c.print.Equal(print) {
			c.handles++
			return c, nil
		}
		if err := cs.forget(k); err != nil {
			return nil, err
		}
	}
	c, err := cs.load(k, name, print)
	if err == nil && c == nil {
		c, err = cs.create(k, name, print)
	}
	if err != nil {
		return nil, err
	}
	c.handles = 1
	cs.used[k] = c
	return c, nil
}

// load opens the copy that is there, or returns nil; one of another version goes, and so does one
// that is damaged.
// LOCKS_REQUIRED(cs.mu)
func (cs *copySet) load(k copyKey, name string, print Fingerprint) (*clean, error) {
	f, err := cs.s.disk.OpenFile(k.path(), os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, cs.forget(k)
	}
	if err != nil {
		return nil, err
	}
	h, sl, err := cs.s.readCopyHeader(f, k)
	if err != nil || h.Name != name || !h.print().Equal(print) {
		return nil, errors.Join(f.Close(), cs.forget(k))
	}
	c := &clean{
		set: cs, key: k, name: name, print: print, file: f, slots: sl, held: h.held(), lastUsed: anchored(h.Committed),
		claims: true, durable: true, spooled: h.Spooled,
	}
	if it := cs.take(k); it != nil {
		c.bytes, c.busy, c.lent, c.verified = it.bytes, it.busy, it.lent, it.verified
		return c, nil
	}
	c.bytes = cs.settleGaps(f, c.held)
	cs.s.room.enter(stateClean, c.bytes)
	return c, nil
}

// create makes an empty copy.
// LOCKS_REQUIRED(cs.mu)
func (cs *copySet) create(k copyKey, name string, print Fingerprint) (*clean, error) {
	const flags = os.O_RDWR | os.O_CREATE | os.O_EXCL
	c := &clean{set: cs, key: k, name: name, print: print, bytes: dataStart, lastUsed: time.Now()}
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
	cs.s.room.enter(stateClean, c.bytes)
	return c, nil
}

// forget takes a copy out of clean/.
// LOCKS_REQUIRED(cs.mu)
func (cs *copySet) forget(k copyKey) error {
	if err := cs.s.disk.Remove(k.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if it := cs.take(k); it != nil {
		cs.s.room.leave(stateClean, it.bytes)
	}
	if c := cs.used[k]; c != nil {
		delete(cs.used, k)
		cs.outdated[c] = struct{}{}
		c.outdated = true
	}
	return nil
}

// release takes a handle from c, and makes it idle with the last one.
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
		cs.s.room.leave(stateClean, c.bytes)
		return c.file.Close()
	}
	delete(cs.used, c.key)
	err := c.describe(time.Now())
	err = errors.Join(err, c.file.Close())
	it := &idleCopy{
		key: c.key, bytes: c.bytes, lastUsed: time.Now(), spooled: c.spooled, busy: c.busy, lent: c.lent, verified: c.verified,
	}
	cs.put(it)
	if err != nil || len(c.held) == 0 {
		err = errors.Join(err, cs.forget(c.key))
	}
	return err
}

// put makes it the idle copy that was used last.
// LOCKS_REQUIRED(cs.mu)
func (cs *copySet) put(it *idleCopy) { cs.idle[it.key] = cs.recent.PushFront(it) }

// take removes an idle copy from the index, and returns nil where there is none.
// LOCKS_REQUIRED(cs.mu)
func (cs *copySet) take(k copyKey) *idleCopy {
	e := cs.idle[k]
	if e == nil {
		return nil
	}
	delete(cs.idle, k)
	return cs.recent.Remove(e).(*idleCopy)
}

// close writes the headers of the copies that are still in use.
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
