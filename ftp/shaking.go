package ftp

import "net"

// shaking is the connection below TLS. While the handshake is made, the client hears at once that
// its bytes have come. Many clients write their side in two pieces and leave Nagle's algorithm on,
// GnuTLS under TLS 1.3 for example: their kernel sends the second when the first is acknowledged,
// and ours would put that off for 40 ms.
type shaking struct {
	net.Conn
	done bool
}

func (s *shaking) Read(p []byte) (int, error) {
	if !s.done {
		quickAck(s.Conn)
	}
	return s.Conn.Read(p)
}

// end is called when the handshake is done. What follows may be in two pieces, too: a small upload
// and its end.
func (s *shaking) end() {
	s.done = true
	quickAck(s.Conn)
}
