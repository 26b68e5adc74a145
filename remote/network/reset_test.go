package network_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http/httptest"
	"syscall"
	"testing"

	"ferry/remote/network"
)

func TestAResetIsNoEnd(t *testing.T) {
	addr, accepted := listen(t)
	s := httptest.NewTLSServer(nil) // for its certificate
	defer s.Close()
	for _, secure := range []bool{false, true} {
		c, err := network.Options{}.Dial(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		server := <-accepted
		if secure {
			c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
			server = tls.Server(server, s.TLS)
			go server.(*tls.Conn).Handshake()
		}
		if _, err := io.WriteString(c, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		network.Reset(c)
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("TLS %v: the other side sees %v", secure, err)
		}
		server.Close()
	}
}
