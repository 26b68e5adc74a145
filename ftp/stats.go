package ftp

import (
	"cmp"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

// totals are counters since the server was made.
type totals struct {
	sessions, refused             atomic.Uint64
	logins, denied                atomic.Uint64
	uploads, downloads, failed    atomic.Uint64
	listings                      atomic.Uint64
	passiveFailed                 atomic.Uint64
	bytesReceived, bytesDelivered atomic.Int64
}

// Stats is a snapshot of a server's counters since it was made.
type Stats struct {
	Sessions       int    // now
	SessionsTotal  uint64 // begun
	Refused        uint64 // refused: too many, or the server was closing
	Logins, Denied uint64
	Uploads        uint64 // confirmed by 226
	Downloads      uint64 // confirmed by 226
	Listings       uint64 // how many of those were LIST, NLST or MLSD
	Failed         uint64 // transfers that were not confirmed
	PassiveFailed  uint64 // PASV and EPSV without a port, and ports to which no client came
	PassiveUsed    int    // ports that listen now
	PassiveFree    int    // of the range, those that do not
	BytesReceived  int64  // of finished transfers, as on the wire
	BytesSent      int64
	TransferTime   time.Duration // of finished transfers of files, all together
}

// Stats returns the counters. It may be called at any time.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	n := len(s.sessions)
	s.mu.Unlock()
	used := s.ports.inUse()
	s.history.mu.Lock()
	took := s.history.took
	s.history.mu.Unlock()
	return Stats{
		Sessions:      n,
		SessionsTotal: s.totals.sessions.Load(),
		Refused:       s.totals.refused.Load(),
		Logins:        s.totals.logins.Load(),
		Denied:        s.totals.denied.Load(),
		Uploads:       s.totals.uploads.Load(),
		Downloads:     s.totals.downloads.Load(),
		Listings:      s.totals.listings.Load(),
		Failed:        s.totals.failed.Load(),
		PassiveFailed: s.totals.passiveFailed.Load(),
		PassiveUsed:   used,
		PassiveFree:   max(s.tuned().Passive.size()-used, 0),
		BytesReceived: s.totals.bytesReceived.Load(),
		BytesSent:     s.totals.bytesDelivered.Load(),
		TransferTime:  took,
	}
}

// SessionInfo is a snapshot of one session.
type SessionInfo struct {
	ID      uint64
	Remote  netip.AddrPort
	TLS     bool
	User    string // "" before the login
	Client  string // argument of CLNT
	Since   time.Time
	Last    string    // the last command, without its argument; "" = none
	Active  time.Time // when that came
	Command string    // the running transfer command; "" = none
	Path    string    // its file, absolute
	Began   time.Time
	Bytes   int64 // moved so far
	Size    int64 // how many it will be, as far as the client or the file tells; below 0 = unknown
}

// Sessions returns the sessions, oldest first. It may be called at any time.
func (s *Server) Sessions() []SessionInfo {
	var all []SessionInfo
	s.eachSession(func(ss *session) { all = append(all, ss.info()) })
	slices.SortFunc(all, func(a, b SessionInfo) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Stopping reports whether Shutdown or Close was called: there will be no new sessions.
func (s *Server) Stopping() bool { return s.isClosing() }

// Traffic returns the bytes of all transfers since the server was made, those that run included. It
// may be called at any time, and costs little.
func (s *Server) Traffic() (received, sent int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	received, sent = s.totals.bytesReceived.Load(), s.totals.bytesDelivered.Load()
	for ss := range s.sessions {
		ss.mu.Lock()
		if t := ss.running; t != nil && !t.counted {
			if t.receives() {
				received += t.bytes()
			} else {
				sent += t.bytes()
			}
		}
		ss.mu.Unlock()
	}
	return received, sent
}

// account adds the bytes of t, which has ended, to a total.
func (s *Server) account(t *transfer, total *atomic.Int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	total.Add(t.bytes())
	t.counted = true
}

// Dismiss ends the session id with 421 when its running transfer has ended, because what its user
// may do has changed. It reports whether there was one.
func (s *Server) Dismiss(id uint64) bool {
	found := false
	s.eachSession(func(ss *session) {
		if ss.id == id {
			found = true
			ss.dismissed.Store(true)
			ss.ctl.interrupt(stopSession)
		}
	})
	return found
}

// Kick ends the session id with 421, aborting its transfer. It reports whether there was one.
func (s *Server) Kick(id uint64) bool {
	found := false
	s.eachSession(func(ss *session) {
		if ss.id == id {
			found = true
			ss.kill(errKicked)
		}
	})
	return found
}
