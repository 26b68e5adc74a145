package network_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"ferry/remote/network"
)

// listen accepts connections and keeps them until the test ends.
func listen(t *testing.T) (addr string, accepted <-chan net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan net.Conn)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String(), conns
}

func TestAConnectionWithoutASignOfLifeFails(t *testing.T) {
	addr, accepted := listen(t)
	c, err := network.Options{IdleTimeout: 20 * time.Millisecond}.Dial(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	server := <-accepted
	defer server.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read: %v", err)
	}
}

func TestAConnectionThatMovesLives(t *testing.T) {
	addr, accepted := listen(t)
	for _, idle := range []time.Duration{0, -1, time.Hour} {
		c, err := network.Options{IdleTimeout: idle, ConnectTimeout: idle}.Dial(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		server := <-accepted
		if _, err := io.WriteString(server, "x"); err != nil {
			t.Error(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Errorf("Read: %v", err)
		}
		if _, err := io.WriteString(c, "x"); err != nil {
			t.Error(err)
		}
		c.Close()
		server.Close()
	}
}

func TestConnectingTakesAnEnd(t *testing.T) {
	// A listener whose queue is full does not answer: neither does an address that is for
	// documentation.
	_, err := network.Options{ConnectTimeout: time.Nanosecond}.Dial(t.Context(), "tcp", "192.0.2.1:9")
	if err == nil {
		t.Error("a connection came about")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (network.Options{}).Dial(ctx, "tcp", "192.0.2.1:9"); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

func TestOnlyWhatIsTrustedIsReached(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 {
			t.Errorf("the protocol is %s", r.Proto)
		}
	}))
	defer s.Close()
	trusting := s.Client().Transport.(*http.Transport).TLSClientConfig
	for _, o := range []network.Options{{}, {TLS: trusting}} {
		transport := o.Transport(1)
		answer, err := (&http.Client{Transport: transport}).Get(s.URL)
		if (err == nil) != (o.TLS != nil) {
			t.Errorf("trusting %v: %v", o.TLS != nil, err)
		}
		if err == nil {
			answer.Body.Close()
		}
		transport.CloseIdleConnections()
	}
	if o := (network.Options{TLS: trusting}); o.Config() == trusting || o.Config().RootCAs != trusting.RootCAs {
		t.Error("the configuration is not a copy")
	}
}
