package ftp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// closeEndpoint gives up the data connection that was arranged and not used.
func (s *session) closeEndpoint() {
	if s.endpoint != nil {
		s.endpoint.dismiss(0, nil)
		s.endpoint = nil
	}
}

// dismissData gives up the data connection of a transfer that was refused. The client hears of it
// first on the control connection. Where it may be sending already it gets some time to end its
// side, and over TLS to make its handshake: some clients take one that is broken off for the end of
// the session.
func (s *session) dismissData(to direction) {
	var (
		wait   time.Duration
		secure func(net.Conn) *dataConn
	)
	if s.ctl.flush() == nil && (to == fromClient || s.private) {
		wait = lingerTime
	}
	if wait > 0 && s.private {
		secure = func(conn net.Conn) *dataConn {
			c := newDataConn(conn, lingerTime, s.srv.dataStall())
			if c.secure(context.Background(), s.srv.tls.data(s.id, c.tap.hold)) != nil {
				return nil
			}
			return c
		}
	}
	s.endpoint.dismiss(wait, secure)
	s.endpoint = nil
}

// pasv opens a passive port and announces it with an IPv4 address (RFC 959, section 4.1.2).
func (s *session) pasv(ctx context.Context, _ string) reply {
	if s.epsvAll {
		return badSequence("After EPSV ALL only EPSV is allowed.")
	}
	if !s.local.Addr().Is4() {
		return reply{425, "PASV cannot name an IPv6 address; use EPSV."}
	}
	announced := s.local.Addr()
	if s.srv.PublicIP != nil {
		public, err := s.srv.PublicIP(ctx, s.remote.Addr())
		switch {
		case err != nil:
			s.logger.LogAttrs(ctx, slog.LevelError, "cannot find the public address", slog.Any("error", err))
			return reply{425, "The server does not know its public address; use EPSV."}
		case public.IsValid() && !public.Unmap().Is4():
			return reply{425, "PASV cannot name an IPv6 address; use EPSV."}
		case public.IsValid():
			announced = public.Unmap()
		}
	}
	port, r := s.listen()
	if !r.isZero() {
		return r
	}
	return reply{227, format227(netip.AddrPortFrom(announced, port))}
}

// epsv opens a passive port on the address of the control connection (RFC 2428, section 3).
func (s *session) epsv(_ context.Context, arg string) reply {
	family, all, err := parseEPSV(arg)
	switch {
	case errors.Is(err, errNetworkProtocol) || err == nil && family != 0 && family != s.family():
		return reply{522, fmt.Sprintf("Network protocol not supported, use (%d)", s.family())}
	case err != nil:
		return badArgument("Usage: EPSV [1|2|ALL]")
	case all:
		s.epsvAll = true
		return ok("Only EPSV from now on.")
	}
	port, r := s.listen()
	if !r.isZero() {
		return r
	}
	return reply{229, format229(port)}
}

// family is the address family of the control connection, as RFC 2428 numbers them.
func (s *session) family() int {
	if s.local.Addr().Is4() {
		return familyIPv4
	}
	return familyIPv6
}

// listen opens a fresh passive port; the one before is closed.
func (s *session) listen() (uint16, reply) {
	s.closeEndpoint()
	holder := portHolder{s.name, hostAddr(s.remote.Addr())}
	if !s.srv.ports.take(holder, most(s.srv.Passive.size())) {
		return 0, reply{425, "You have too many passive ports open; use or close those of your other sessions."}
	}
	p, err := listenPassive(s.local.Addr(), s.mayConnect(), s.srv.Passive, s.srv.dataConnect())
	if err != nil {
		s.srv.ports.give(holder)
		s.srv.logShortage(context.Background(), "cannot open a passive port", err)
		return 0, noPort(err)
	}
	if s.private {
		p.secure = s.greet
	}
	p.released = sync.OnceFunc(func() { s.srv.ports.give(holder) })
	p.limit(s.srv.dataStall())
	s.endpoint = p
	return p.port(), reply{}
}

// greet makes the TLS handshake on a data connection before its command.
func (s *session) greet(ctx context.Context, conn net.Conn, hello []byte) (*dataConn, error) {
	c := s.newDataConn(conn)
	c.tap.head = hello
	if err := c.secure(ctx, s.srv.tls.data(s.id, c.tap.hold)); err != nil {
		return nil, err
	}
	return c, nil
}

// newDataConn makes a dataConn of what an endpoint has opened.
func (s *session) newDataConn(conn net.Conn) *dataConn {
	c := newDataConn(conn, s.srv.dataConnect(), s.srv.dataStall())
	c.tap.rate, c.tap.rateTime = s.srv.MinRate, time.Minute
	return c
}

// noPort is the reply where a data connection cannot come about for err.
func noPort(err error) reply {
	why := shortage(err)
	switch {
	case errors.Is(err, errNotResumed):
		return reply{522, "The data connection must resume the TLS session of the control connection."}
	case why != "":
	case errors.Is(err, errPortsExhausted):
		why = "No passive port is free; try again later."
	case errors.Is(err, errPortUnused):
		why = "The port was not used for too long; send PASV or EPSV again."
	default:
		why = "Cannot open the data connection."
	}
	return reply{425, why}
}

// mayConnect tells the owner of a passive port from strangers.
func (s *session) mayConnect() func(netip.Addr) bool {
	if s.srv.AllowFXP || s.srv.AllowPeerMismatch {
		return func(netip.Addr) bool { return true }
	}
	owner := s.remote.Addr()
	return func(peer netip.Addr) bool { return peer == owner }
}

// port takes an address to connect to (RFC 959, section 4.1.2).
func (s *session) port(_ context.Context, arg string) reply {
	target, err := parsePORT(arg)
	if err != nil {
		return badArgument("Usage: PORT h1,h2,h3,h4,p1,p2")
	}
	return s.activate(target, "PORT")
}

// eprt takes an address to connect to, of either family (RFC 2428, section 2).
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

// activate arranges for an active data connection. The target must be the client itself, or a
// server that trusts it could be made to attack others (RFC 2577, section 3).
func (s *session) activate(target netip.AddrPort, verb string) reply {
	switch {
	case s.epsvAll:
		return badSequence("After EPSV ALL only EPSV is allowed.")
	case s.srv.NoActive:
		return reply{502, verb + " is switched off on this server; use EPSV or PASV."}
	case target.Port() < 1024:
		return badArgument("Ports below 1024 are refused.")
	case target.Addr().Is4() != s.local.Addr().Is4():
		return reply{522, fmt.Sprintf("Network protocol not supported, use (%d)", s.family())}
	case target.Addr() != s.remote.Addr() && !s.srv.AllowFXP:
		return badArgument("Only your own address is allowed; use EPSV or PASV.")
	}
	s.closeEndpoint()
	s.endpoint = newActive(s.local.Addr(), target, s.srv.dataConnect())
	return ok(verb + " accepted.")
}
