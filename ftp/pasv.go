package ftp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
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
	if find := s.srv.tuned().PublicIP; find != nil {
		public, err := find(ctx, s.remote.Addr())
		switch {
		case err != nil:
			s.log(ctx, slog.LevelError, "cannot find the public address", slog.Any("error", err))
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
	seat, err := s.srv.ports.listen(portRequest{
		holder:  portHolder{s.name, hostAddr(s.remote.Addr())},
		local:   s.local.Addr(),
		client:  s.mayConnect(),
		ports:   s.srv.tuned().Passive,
		proxies: s.srv.Proxies,
	})
	if err != nil {
		s.srv.totals.passiveFailed.Add(1)
		s.seeError(err)
	}
	switch {
	case errors.Is(err, errTooManyPorts):
		return 0, reply{425, "You have too many passive ports open; use or close those of your other sessions."}
	case err != nil:
		s.srv.logShortage(context.Background(), "cannot open a passive port", err)
		return 0, noPort(err)
	}
	p := &passive{seat: seat, timeout: s.srv.dataConnect()}
	if s.private {
		p.secure = s.earlyHandshake
	}
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

// mayConnect returns the address from which connections to a passive port may come; the zero Addr:
// from any.
func (s *session) mayConnect() netip.Addr {
	if now := s.srv.tuned(); now.AllowFXP || now.AllowPeerMismatch {
		return netip.Addr{}
	}
	return s.remote.Addr()
}
