package ftp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
)

// pasv opens a passive port and announces it with an IPv4 address (RFC 959, section 4.1.2).
func (s *session) pasv(ctx context.Context, _ string) reply {
	if s.epsvAll {
		return badSequence("After EPSV ALL only EPSV is allowed.")
	}
	if !s.facing.Addr().Is4() {
		return reply{425, "PASV cannot name an IPv6 address; use EPSV."}
	}
	announced := s.facing.Addr()
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

// family returns the address family of the control connection, by the numbers of RFC 2428.
func (s *session) family() int {
	if s.facing.Addr().Is4() {
		return familyIPv4
	}
	return familyIPv6
}

// listen opens a new passive port and closes the previous one.
func (s *session) listen() (uint16, reply) {
	s.closeEndpoint()
	holder := portHolder{s.name, hostAddr(s.remote.Addr())}
	if !s.srv.ports.reserve(holder, threeQuarters(s.srv.Passive.size())) {
		return 0, reply{425, "You have too many passive ports open; use or close those of your other sessions."}
	}
	p, err := listenPassive(s.local.Addr(), s.mayConnect(), s.srv.Passive, s.srv.dataConnect())
	if err != nil {
		s.srv.ports.release(holder)
		s.srv.logShortage(context.Background(), "cannot open a passive port", err)
		return 0, noPort(err)
	}
	if s.private {
		p.secure = s.earlyHandshake
	}
	p.released = sync.OnceFunc(func() { s.srv.ports.release(holder) })
	p.proxies = s.srv.Proxies
	p.limit(s.srv.dataStall())
	s.endpoint = p
	return p.port(), reply{}
}

// earlyHandshake performs the TLS handshake on a data connection before its command.
func (s *session) earlyHandshake(ctx context.Context, conn net.Conn, hello []byte) (*dataConn, error) {
	c := s.newDataConn(conn)
	c.tap.head = hello
	if err := c.secure(ctx, s.srv.tls.data(s.id, c.tap.hold)); err != nil {
		return nil, err
	}
	return c, nil
}

// mayConnect returns the check that distinguishes the owner of a passive port from strangers.
func (s *session) mayConnect() func(netip.Addr) bool {
	if s.srv.AllowFXP || s.srv.AllowPeerMismatch {
		return func(netip.Addr) bool { return true }
	}
	owner := s.remote.Addr()
	return func(peer netip.Addr) bool { return peer == owner }
}
