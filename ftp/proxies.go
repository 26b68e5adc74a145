package ftp

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Proxies are load balancers that tell at the beginning of each connection who its client is, as in
// the PROXY protocol. Its methods may be called concurrently.
type Proxies interface {
	// Include reports whether peer is one of them: each of its connections begins with a header.
	Include(peer netip.Addr) bool
	// ReadHeader reads the header, and nothing behind it. The zero client means that the proxy
	// itself is the client. An error ends the connection.
	ReadHeader(r io.Reader) (client, server netip.AddrPort, err error)
}

// headerTime is how long a header may take. Proxies send it with the connection.
const headerTime = 5 * time.Second

// A door is where a connection comes from, and what it comes to.
type door struct {
	remote netip.AddrPort // of the client
	facing netip.AddrPort // what the client has connected to: the proxy, or this server
	local  netip.AddrPort // of this server
}

// doorOf returns the door of a connection without a proxy.
func doorOf(conn net.Conn) door {
	local := addrPort(conn.LocalAddr())
	return door{remote: addrPort(conn.RemoteAddr()), facing: local, local: local}
}

// addrPort returns the numeric form of an address; IPv4-mapped IPv6 is IPv4.
func addrPort(a net.Addr) netip.AddrPort {
	if t, isTCP := a.(*net.TCPAddr); isTCP {
		ap := t.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	ap, _ := netip.ParseAddrPort(a.String())
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// proxied reports whether conn comes from a proxy.
func (s *Server) proxied(conn net.Conn) bool {
	return s.Proxies != nil && s.Proxies.Include(addrPort(conn.RemoteAddr()).Addr())
}

// readDoor reads the header of a proxy. If there is none, it closes the connection.
func (s *Server) readDoor(ctx context.Context, conn net.Conn) (door, bool) {
	d := doorOf(conn)
	conn.SetReadDeadline(time.Now().Add(headerTime))
	client, server, err := s.Proxies.ReadHeader(conn)
	conn.SetReadDeadline(time.Time{})
	if err != nil {
		conn.Close()
		s.totals.refused.Add(1)
		if omitted, due := s.refusals.due(time.Now()); due {
			addr, port := address(d.remote)
			s.log.LogAttrs(ctx, slog.LevelWarn, "connection of a proxy refused", addr, port,
				slog.Any("reason", err), slog.Int("omitted", omitted))
		}
		return door{}, false
	}
	if client.IsValid() {
		d.remote, d.facing = client, server
	}
	return d, true
}

// clientOf returns the client of a data connection that has come from peer; the zero Addr for a
// connection of a proxy without a header.
func clientOf(proxies Proxies, conn net.Conn, peer netip.Addr) netip.Addr {
	if proxies == nil || !proxies.Include(peer) {
		return peer
	}
	conn.SetReadDeadline(time.Now().Add(headerTime))
	defer conn.SetReadDeadline(time.Time{})
	client, _, err := proxies.ReadHeader(conn)
	switch {
	case err != nil:
		return netip.Addr{}
	case client.IsValid():
		return client.Addr()
	}
	return peer
}
