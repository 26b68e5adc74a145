package ftp

// admit adds ss to the sessions, or returns the reason for its refusal. crowd: its address has too
// many that have not logged in, and no other.
func (s *Server) admit(ss *session) (why string, crowd bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.tuned()
	guests, guestsPerHost := now.guestLimits()
	switch {
	case s.closing:
		return "The server is shutting down.", false
	case s.draining:
		return drainingText, false
	case now.MaxSessions > 0 && len(s.sessions) >= now.MaxSessions:
		return "Too many sessions; try again later.", false
	case guests > 0 && s.guests >= guests:
		return "Too many connections that have not logged in; try again in a minute.", false
	}
	host := hostAddr(ss.remote.Addr())
	if why := s.hosts.admit(host, now.MaxSessionsPerHost, guestsPerHost, s.Elsewhere); why != "" {
		// Whether those elsewhere have logged in is not known: they may have.
		return why, others(host, now.MaxSessionsPerHost, s.Elsewhere) == 0 && s.hosts.onlyGuests(host)
	}
	s.sessions[ss] = struct{}{}
	s.guests++
	ss.guest = true
	return "", false
}

// minGuestsPerHost lets clients that open many sessions log in with them.
const minGuestsPerHost = 8

// guestLimits returns MaxGuests and MaxGuestsPerHost or their defaults; 0 = no limit.
func (t *Tunable) guestLimits() (all, perHost int) {
	all, perHost = t.MaxGuests, t.MaxGuestsPerHost
	if all == 0 {
		all = threeQuarters(t.MaxSessions)
	}
	if perHost == 0 && all > 0 {
		perHost = max(all/4, minGuestsPerHost)
	}
	return max(all, 0), max(perHost, 0)
}

// setGuest records whether ss has logged in.
func (s *Server) setGuest(ss *session, guest bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ss.guest == guest {
		return
	}
	ss.guest = guest
	change := 1
	if !guest {
		change = -1
	}
	s.guests += change
	s.hosts.countGuests(hostAddr(ss.remote.Addr()), change)
}

func (s *Server) end(ss *session) {
	s.setGuest(ss, false)
	s.hosts.release(hostAddr(ss.remote.Addr()), s.tuned().MaxSessionsPerHost, s.Elsewhere)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, ss)
	if s.closing && len(s.sessions) == 0 {
		close(s.gone)
	}
}

// kill ends the session from another goroutine: its transfer is aborted, then 421 is sent.
func (s *session) kill(cause error) {
	s.cancel(cause)
	s.ctl.interrupt(stopSession)
	s.ctl.hurry()
}

func (s *Server) eachSession(f func(*session)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ss := range s.sessions {
		f(ss)
	}
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}
