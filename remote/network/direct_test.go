package network_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ferry/remote/network"
)

// directly returns a transport that sends small requests directly, and counts its connections.
func directly(t *testing.T, o network.Options) (*network.Transport, *atomic.Int64) {
	t.Helper()
	base := o.Transport(4)
	base.SendDirectly()
	var conns atomic.Int64
	dial := base.DialContext
	base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conns.Add(1)
		return dial(ctx, network, addr)
	}
	t.Cleanup(base.CloseIdleConnections)
	return base, &conns
}

// put stores content at a URL, and returns the answer's body.
func put(ctx context.Context, rt http.RoundTripper, url, content string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader(content))
	if err != nil {
		return "", err
	}
	answer, err := rt.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return fmt.Sprint(answer.StatusCode, " ", string(b)), err
}

// echo answers with what was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Length", fmt.Sprint(len(b)))
	_, _ = w.Write(b)
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		s := start(http.HandlerFunc(echo))
		defer s.Close()
		var o network.Options
		if s.TLS != nil {
			roots := x509.NewCertPool()
			roots.AddCert(s.Certificate())
			o.TLS = &tls.Config{RootCAs: roots}
		}
		base, conns := directly(t, o)
		for _, content := range []string{"a", strings.Repeat("b", 60_000), "c"} {
			if got, err := put(t.Context(), base, s.URL, content); got != "200 "+content || err != nil {
				t.Errorf("%s: %d bytes came back, %v", name, len(got), err)
			}
		}
		if n := conns.Load(); n != 1 {
			t.Errorf("%s: %d connections for one request after the other", name, n)
		}
		base.CloseIdleConnections()
		if got, err := put(t.Context(), base, s.URL, "d"); got != "200 d" || err != nil || conns.Load() != 2 {
			t.Errorf("%s: after the connections were closed: %q, %v, %d connections", name, got, err, conns.Load())
		}
	}
	s := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer s.Close()
	s.Config.ErrorLog = nil
	base, _ := directly(t, network.Options{TLS: &tls.Config{RootCAs: x509.NewCertPool()}})
	if _, err := put(t.Context(), base, s.URL, "a"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a server of another authority: %v", err)
	}
}

// TestAConnectionThatHasEndedIsNotUsed has the server end its connection, or say more than it was
// asked, while nothing is under way.
func TestAConnectionThatHasEndedIsNotUsed(t *testing.T) {
	for _, more := range []string{"", "HTTP/1.1 408 Request Timeout\r\n\r\n"} {
		addr, accepted := listen(t)
		base, conns := directly(t, network.Options{})
		for i := range 3 {
			done := make(chan error, 1)
			go func() {
				_, err := put(t.Context(), base, "http://"+addr, "x")
				done <- err
			}()
			server := <-accepted
			r, err := http.ReadRequest(bufio.NewReader(server))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			if err := <-done; err != nil {
				t.Fatalf("the %d-th: %v", i, err)
			}
			_, _ = io.WriteString(server, more)
			server.Close()
		}
		if n := conns.Load(); n != 3 {
			t.Errorf("%d connections for 3 requests", n)
		}
	}
}

// TestNothingWrittenIsWrittenAgain uses a connection whose way out is closed on this side.
func TestNothingWrittenIsWrittenAgain(t *testing.T) {
	var requests atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		echo(w, r)
	}))
	defer s.Close()
	base, conns := directly(t, network.Options{})
	var last net.Conn
	dial := base.DialContext
	base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		last = c
		return c, err
	}
	if _, err := put(t.Context(), base, s.URL, "a"); err != nil {
		t.Fatal(err)
	}
	if err := last.(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := put(t.Context(), base, s.URL, "b"); got != "200 b" || err != nil || conns.Load() != 2 || requests.Load() != 2 {
		t.Errorf("%q, %v; %d connections, %d requests", got, err, conns.Load(), requests.Load())
	}
}

// TestWhatServersSay answers in ways that are rare.
func TestWhatServersSay(t *testing.T) {
	interim := "HTTP/1.1 103 Early Hints\r\n\r\n"
	for _, c := range []struct{ name, answer, want string }{
		{"interim answers", "HTTP/1.1 100 Continue\r\n\r\n" + interim + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok"},
		{"interim answers without an end", strings.Repeat(interim, 10), ""},
		{"to the end of the connection", "HTTP/1.1 200 OK\r\n\r\nok", "200 ok"},
		{"in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "200 ok"},
		{"more than that", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore", "200 ok"},
		{"a header without an end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 11<<20), ""},
		{"not HTTP", "SSH-2.0-OpenSSH\r\n\r\n", ""},
		{"nothing", "", ""},
	} {
		addr, accepted := listen(t)
		base, conns := directly(t, network.Options{})
		for range 2 {
			go func() {
				server := <-accepted
				defer server.Close()
				if r, err := http.ReadRequest(bufio.NewReader(server)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
				}
				_, _ = io.WriteString(server, c.answer)
			}()
			if got, err := put(t.Context(), base, "http://"+addr, "x"); got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%s: %q, %v", c.name, got, err)
			}
		}
		if n := conns.Load(); n != 2 {
			t.Errorf("%s: %d connections for 2 requests, each of which ends its own", c.name, n)
		}
	}
}

// TestARefusalIsHeardBeforeTheContentIsRead has a server refuse what it has not read.
func TestARefusalIsHeardBeforeTheContentIsRead(t *testing.T) {
	addr, accepted := listen(t)
	base, _ := directly(t, network.Options{})
	go func() {
		server := <-accepted
		defer server.Close()
		_, _ = bufio.NewReaderSize(server, 16).ReadString('\n')
		_, _ = io.WriteString(server, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
		_ = server.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, server)
	}()
	if got, err := put(t.Context(), base, "http://"+addr, strings.Repeat("x", 60_000)); got != "403 no" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestTheEndOfAContextEndsARequest ends it before the answer, and within it.
func TestTheEndOfAContextEndsARequest(t *testing.T) {
	for _, answer := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbut"} {
		addr, accepted := listen(t)
		base, _ := directly(t, network.Options{})
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := put(ctx, base, "http://"+addr, "x")
			done <- err
		}()
		server := <-accepted
		r, err := http.ReadRequest(bufio.NewReader(server))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(server, answer)
		cancel(errCalledOff)
		if err := <-done; !errors.Is(err, errCalledOff) {
			t.Errorf("after %q it ends with %v", answer, err)
		}
		if _, err := io.Copy(io.Discard, server); err != nil { // the connection has ended
			t.Log(err)
		}
		server.Close()
	}
}

// TestUnusedConnectionsAreClosed waits for the server to see it.
func TestUnusedConnectionsAreClosed(t *testing.T) {
	for name, end := range map[string]func(base *network.Transport){
		"after a while": func(*network.Transport) {}, "when all are": (*network.Transport).CloseIdleConnections,
	} {
		addr, accepted := listen(t)
		base, _ := directly(t, network.Options{})
		if base.IdleConnTimeout = time.Hour; name == "after a while" {
			base.IdleConnTimeout = 10 * time.Millisecond
		}
		done := make(chan error, 1)
		go func() {
			_, err := put(t.Context(), base, "http://"+addr, "x")
			done <- err
		}()
		server := <-accepted
		in := bufio.NewReader(server)
		if r, err := http.ReadRequest(in); err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		_, _ = io.WriteString(server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		end(base)
		if _, err := in.ReadByte(); err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
	}
}

// TestWhatIsNotSentDirectly shows what is left to net/http by what only net/http does.
func TestWhatIsNotSentDirectly(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(echo))
	defer s.Close()
	base, _ := directly(t, network.Options{})
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL, strings.NewReader("x"))
	r.Header.Set("X-Amz-Meta-Name", "two\nlines")
	if a, err := base.RoundTrip(r); err == nil || !strings.Contains(err.Error(), "invalid header") {
		t.Errorf("a header of two lines: %v, %v", a, err)
	}
	var o network.Options
	o.HTTP.CloseEach = true
	base, conns := directly(t, o)
	for range 2 {
		if got, err := put(t.Context(), base, s.URL, "x"); got != "200 x" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	if n := conns.Load(); n != 2 {
		t.Errorf("%d connections where each is for one request", n)
	}
	base, _ = directly(t, network.Options{})
	content := bytes.Repeat([]byte("x"), 1<<20)
	if got, err := put(t.Context(), base, s.URL, string(content)); len(got) != len(content)+4 || err != nil {
		t.Errorf("%d bytes of a long body came back, %v", len(got), err)
	}
}
