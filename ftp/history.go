package ftp

import (
	"slices"
	"sync"
	"time"
)

// TransferInfo describes a finished transfer of a file.
type TransferInfo struct {
	Session uint64
	User    string
	Command string
	Path    string // absolute
	Bytes   int64  // moved, as on the wire
	Began   time.Time
	Ended   time.Time
	Err     error // nil: the transfer was confirmed by 226
}

// maxHistory is how many transfers are remembered.
const maxHistory = 100

// history remembers the latest transfers of files.
type history struct {
	mu    sync.Mutex
	ring  []TransferInfo // guarded by mu
	first int            // guarded by mu: index of the oldest once the ring is full
	took  time.Duration  // guarded by mu: all transfers together
}

func (h *history) add(t TransferInfo) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.took += t.Ended.Sub(t.Began)
	if len(h.ring) < maxHistory {
		h.ring = append(h.ring, t)
		return
	}
	h.ring[h.first] = t
	h.first = (h.first + 1) % maxHistory
}

// Transfers returns the latest finished transfers of files, at most 100, oldest first. It may be
// called at any time.
func (s *Server) Transfers() []TransferInfo {
	h := &s.history
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Concat(h.ring[h.first:], h.ring[:h.first])
}

// remember records the end of t. Listings are only counted.
func (s *session) remember(t *transfer, err error) {
	if t.listing() {
		if err == nil {
			s.srv.totals.listings.Add(1)
		}
		return
	}
	s.srv.history.add(TransferInfo{
		Session: s.id, User: s.name, Command: t.verb, Path: absolute(t.name), Bytes: t.bytes(),
		Began: t.began, Ended: time.Now(), Err: err,
	})
}
