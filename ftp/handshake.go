package ftp

import (
	"net"

	"ferry/ftp/internal/sock"
)

// handshakeConn is the connection below TLS. During the handshake it acknowledges bytes at once.
// Many clients write their side in two pieces and leave Nagle's algorithm on, GnuTLS under TLS 1.3
// for example: their kernel sends the second when the first is acknowledged, and the server's
// kernel would delay that by 40 ms.
type handshakeConn struct {
	net.Conn
	done bool
}

func (s *handshakeConn) Read(p []byte) (int, error) {
	if !s.done {
		sock.QuickAck(s.Conn)
	}
	return s.Conn.Read(p)
}

// end is called after the handshake. What follows may be in two pieces, too: a small upload and its
// end.
func (s *handshakeConn) end() {
	s.done = true
	sock.QuickAck(s.Conn)
}
