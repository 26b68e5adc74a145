package defence

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"ferry/ftp"
)

const (
	window    = 30 * time.Minute // points count for so long
	threshold = 15               // points that make a ban
	firstBan  = 15 * time.Minute
	longest   = 24 * time.Hour     // ban
	memory    = 7 * 24 * time.Hour // a ban within it of the last one is twice as long

	maxEntries = 100_000
)

// scores is the table of addresses. The addresses in it are those of clients that anybody can be,
// so their number is limited: who was not heard of for longest is forgotten first, and who is
// banned after all who are not.
type scores struct {
	key  atomic.Pointer[guessKey] // of the hashes of guesses
	node string                   // what this one is called; "" = it is alone

	mu       sync.Mutex
	lifted   map[netip.Prefix]verdict // guarded by mu; bans that were lifted before their end; nil = nobody asks
	entries  map[netip.Prefix]*entry  // guarded by mu
	suspects *list.List               // guarded by mu; of *entry, least recently heard of first
	banned   *list.List               // guarded by mu; of *entry that were banned within memory
	wide     map[netip.Prefix]*entry  // guarded by mu; bans of networks larger than a Host
	changes  int                      // guarded by mu; since the start
}

// An entry is what is known of an address.
type entry struct {
	host   netip.Prefix
	marks  []mark // oldest first
	until  time.Time
	times  int // bans in a row, each within memory of the one before
	reason string
	made   time.Time // the ban; zero = it is not known
	node   string    // that made it; "" = this one
	byHand bool      // somebody made it
	second bool      // points of another node made it
	place  *list.Element
	in     *list.List
}

// A mark is something that costs points.
type mark struct {
	at     time.Time
	points int
	guess  uint64 // hash of what was tried; 0 = nothing that could be tried again

	elsewhere bool // at another node
}

// A guessKey makes hashes of guesses. It is made at the start, or by nodes together, and never kept
// with the hashes.
type guessKey struct {
	key [32]byte
	// shared: other nodes know it, and see the hashes; so these are so short that they tell next to
	// nothing of a guess.
	shared bool
}

// sharedGuess are the bits that are left of the hash of a guess.
const sharedGuess = 0xffff

func newGuessKey() *guessKey {
	k := &guessKey{}
	rand.Read(k.key[:]) // it does not fail
	return k
}

func (s *scores) reset() {
	s.key.CompareAndSwap(nil, newGuessKey())
	s.entries, s.wide = map[netip.Prefix]*entry{}, map[netip.Prefix]*entry{}
	s.suspects, s.banned = list.New(), list.New()
}

// guess returns a keyed hash of what a client has tried, 0 if it cannot be told from other tries. A
// device that tries the same again and again, as after a change of its password, costs once.
func (s *scores) guess(e ftp.GuardEvent, user string) uint64 {
	if e.Kind != ftp.UnknownUser && e.Kind != ftp.WrongPassword && e.Kind != ftp.LoginRefused {
		return 0
	}
	k := s.key.Load()
	h := hmac.New(sha256.New, k.key[:])
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(user)))
	h.Write(length[:])
	h.Write([]byte(user))
	h.Write([]byte(e.Password))
	hash := binary.BigEndian.Uint64(h.Sum(nil))
	if k.shared {
		return hash&sharedGuess + 1
	}
	return hash | 1
}

// add counts points for host. It returns the ban that they make.
func (s *scores) add(host netip.Prefix, m mark, reason string, now time.Time) (Ban, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[host]
	if e == nil {
		e = s.insert(host)
	} else {
		e.in.MoveToBack(e.place)
	}
	if now.Before(e.until) {
		return Ban{}, false // for the rest of a session that was admitted before
	}
	s.changes++
	if e.mark(m, now) < threshold {
		return Ban{}, false
	}
	if now.Sub(e.until) > memory {
		e.times = 0
	}
	s.ban(e, m, reason, now)
	return e.asBan(), true
}

// banTime is how long a ban is after so many others.
func banTime(before int) time.Duration {
	return min(firstBan<<min(before, 10), longest)
}

// asBan returns the ban of e.
func (e *entry) asBan() Ban {
	return Ban{Network: e.host, Until: e.until, Times: e.times, Reason: e.reason, Node: e.node}
}

// mark adds a mark and returns the sum of those within the window. A guess that is known is as
// recent as its last try, but costs no more.
func (e *entry) mark(m mark, now time.Time) int {
	sum, kept := 0, e.marks[:0]
	for _, old := range e.marks {
		if now.Sub(old.at) > window {
			continue
		}
		if m.guess != 0 && old.guess == m.guess {
			m.points = old.points
			continue
		}
		sum += old.points
		kept = append(kept, old)
	}
	e.marks = append(kept, m)
	return sum + m.points
}

// ban bans what e is about for its last mark. LOCKS_REQUIRED(s.mu)
func (s *scores) ban(e *entry, m mark, reason string, now time.Time) {
	e.until, e.reason, e.marks = now.Add(banTime(e.times)), reason, nil
	e.made, e.node, e.byHand, e.second = now, "", false, m.elsewhere
	e.times++
	delete(s.lifted, e.host)
	s.move(e, s.banned)
	s.changes++
}

// forgive takes back the points of host, but no ban. It reports whether there were any.
func (s *scores) forgive(host netip.Prefix) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[host]
	if e == nil || len(e.marks) == 0 {
		return false
	}
	s.changes++
	if e.marks = nil; e.times == 0 {
		s.remove(e)
	}
	return true
}

// bannedUntil reports whether addr is banned now, and until when.
func (s *scores) bannedUntil(addr netip.Addr, now time.Time) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[Host(addr)]; e != nil && now.Before(e.until) {
		return e.until, true
	}
	for p, e := range s.wide {
		if p.Contains(addr) && now.Before(e.until) {
			return e.until, true
		}
	}
	return time.Time{}, false
}

// insert makes an entry for host, and room for it. LOCKS_REQUIRED(s.mu)
func (s *scores) insert(host netip.Prefix) *entry {
	for len(s.entries) >= maxEntries {
		l := s.suspects
		if l.Len() == 0 {
			l = s.banned
		}
		s.remove(l.Front().Value.(*entry))
	}
	e := &entry{host: host}
	s.entries[host] = e
	s.move(e, s.suspects)
	return e
}

// move makes e the last of l. LOCKS_REQUIRED(s.mu)
func (s *scores) move(e *entry, l *list.List) {
	if e.place != nil {
		e.in.Remove(e.place)
	}
	e.in, e.place = l, l.PushBack(e)
}

// remove forgets e. LOCKS_REQUIRED(s.mu)
func (s *scores) remove(e *entry) {
	e.in.Remove(e.place)
	delete(s.entries, e.host)
}

// forgetOld forgets entries that count for nothing any more. LOCKS_REQUIRED(s.mu)
func (s *scores) forgetOld(now time.Time) {
	for _, e := range s.entries {
		recent := len(e.marks) > 0 && now.Sub(e.marks[len(e.marks)-1].at) <= window
		if !recent && now.Sub(e.until) > memory {
			s.remove(e)
		}
	}
	for p, e := range s.wide {
		if !now.Before(e.until) {
			delete(s.wide, p)
		}
	}
}
