package ftp

import "net/netip"

// A Guard decides who may talk to the server at all, and is told what clients do before they have
// logged in. Its methods may be called concurrently and do not wait for anything.
type Guard interface {
	// Admit is asked before the greeting, and after each Note of the address. An error is answered
	// 421 and logged; the connection is closed at once, and so are those of the address that have
	// not logged in.
	Admit(addr netip.Addr) error
	// Note tells of a client. user is what it has called itself, "" before USER.
	Note(addr netip.Addr, e GuardEvent, user string)
}

// A GuardEvent is something that a client has done.
type GuardEvent struct {
	Kind GuardKind
	// Password came with the login that was denied. A Guard neither keeps nor shows it.
	Password string
	Reason   string // what was wrong, for a log
}

// GuardKind says what a client has done.
type GuardKind uint8

const (
	LoggedIn        GuardKind = iota // a login succeeded
	UnknownUser                      // there is no such user
	WrongPassword                    // the user exists
	LoginRefused                     // a rule is against it, as for a user who is disabled
	LoginHeldOff                     // the password was not looked at, after too many wrong ones
	NoLogin                          // none came in time
	Noise                            // something else than FTP came before a login
	TooManySessions                  // the address has as many as it may have, none of them logged in
)

// note tells the Guard of the client, and ends what it does not admit any more.
func (s *session) note(e GuardEvent, user string) {
	s.srv.note(s.remote.Addr(), e, user)
}

// noise tells the Guard, once in a session, that the client does not speak FTP.
func (s *session) noise(what string) {
	if s.fs == nil && !s.noisy {
		s.noisy = true
		s.note(GuardEvent{Kind: Noise, Reason: what}, "")
	}
}

func (s *Server) note(addr netip.Addr, e GuardEvent, user string) {
	if s.Guard == nil || !addr.IsValid() {
		return
	}
	s.Guard.Note(addr, e, user)
	if e.Kind != LoggedIn && s.Guard.Admit(addr) != nil {
		s.EndGuests(hostNetwork(addr))
	}
}

// EndGuests ends the sessions of clients in network that have not logged in, with 421.
func (s *Server) EndGuests(network netip.Prefix) {
	s.eachSession(func(ss *session) {
		if ss.guest && network.Contains(ss.remote.Addr().WithZone("")) {
			ss.kill(errNotAdmitted)
		}
	})
}

// hostNetwork returns the addresses that hostAddr takes for one client.
func hostNetwork(addr netip.Addr) netip.Prefix {
	host := hostAddr(addr)
	if host.Is6() {
		return netip.PrefixFrom(host, 64)
	}
	return netip.PrefixFrom(host, 32)
}
