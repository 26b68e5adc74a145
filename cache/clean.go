package cache

import (
	"container/list"
	"errors"
	"io/fs"
	"os"
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
	evicted  atomic.Uint64             // copies of which something was evicted
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
