package acme

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// alpnSolver answers TLS-ALPN-01 (RFC 8737): the authority makes a TLS connection to the name's
// port 443 and looks at the certificate.
type alpnSolver struct {
	listen    listenFunc
	addr      string
	listeners []net.Listener
	serving   sync.WaitGroup
}

const handshakeTime = 10 * time.Second

// Present listens, and answers.
func (s *alpnSolver) Present(ctx context.Context, c acme.Challenge) error {
	cert, err := acmez.TLSALPN01ChallengeCert(c)
	if err != nil {
		return err
	}
	if s.listeners, err = s.listen(ctx, s.addr); err != nil {
		return &listenError{s.addr, err}
	}
	cfg := &tls.Config{
		Certificates: []tls.Certificate{*cert},
		NextProtos:   []string{acmez.ACMETLS1Protocol},
		MinVersion:   tls.VersionTLS12,
	}
	for _, l := range s.listeners {
		s.serving.Go(func() { s.serve(l, cfg) })
	}
	return nil
}

// serve makes handshakes until the listener is closed.
func (s *alpnSolver) serve(l net.Listener, cfg *tls.Config) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		s.serving.Go(func() {
			_ = conn.SetDeadline(time.Now().Add(handshakeTime)) // without it the handshake fails as well
			_ = tls.Server(conn, cfg).Handshake()               // who asks sees why
			conn.Close()
		})
	}
}

// CleanUp closes what Present has opened.
func (s *alpnSolver) CleanUp(context.Context, acme.Challenge) error {
	for _, l := range s.listeners {
		l.Close()
	}
	s.serving.Wait()
	s.listeners = nil
	return nil
}
