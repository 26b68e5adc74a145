package ftp

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
)

// port sets an address to connect to (RFC 959, section 4.1.2).
func (s *session) port(_ context.Context, arg string) reply {
	target, err := parsePORT(arg)
	if err != nil {
		return badArgument("Usage: PORT h1,h2,h3,h4,p1,p2")
	}
	return s.activate(target, "PORT")
}

// eprt sets an address to connect to, of either family (RFC 2428, section 2).
func (s *session) eprt(_ context.Context, arg string) reply {
	target, err := parseEPRT(arg)
	if errors.Is(err, errNetworkProtocol) {
		return reply{522, "Network protocol not supported, use (1,2)"}
	}
	if err != nil {
		return badArgument("Usage: EPRT |1|<address>|<port>|")
	}
	return s.activate(target, "EPRT")
}

// activate arranges an active data connection. The target must be the client itself; otherwise the
// server could be used to attack others (RFC 2577, section 3).
func (s *session) activate(target netip.AddrPort, verb string) reply {
	switch {
	case s.epsvAll:
		return badSequence("After EPSV ALL only EPSV is allowed.")
	case s.srv.tuned().NoActive:
		return reply{502, verb + " is switched off on this server; use EPSV or PASV."}
	case target.Port() < 1024:
		return badArgument("Ports below 1024 are refused.")
	case target.Addr().Is4() != s.facing.Addr().Is4():
		return reply{522, fmt.Sprintf("Network protocol not supported, use (%d)", s.family())}
	case target.Addr() != s.remote.Addr() && !s.srv.tuned().AllowFXP:
		return badArgument("Only your own address is allowed; use EPSV or PASV.")
	}
	s.closeEndpoint()
	from := s.local.Addr()
	if from.Is4() != target.Addr().Is4() {
		from = netip.Addr{} // a proxy has led the client here from the other family
	}
	s.endpoint = newActive(from, target, s.srv.dataConnect())
	return ok(verb + " accepted.")
}
