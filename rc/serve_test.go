package rc

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
)

// serve runs Serve on l until the test ends, and returns what ends it earlier and waits for its
// error.
func serve(t *testing.T, s *Server, l ...net.Listener) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l...) }()
	ended := false
	stop = func() error {
		cancel()
		if ended {
			return nil
		}
		ended = true
		return <-done
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

func post(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	resp, err := c.Post(url, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestServeOnSeveralListeners(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "rc.sock")
	unix, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := serve(t, newServer(t, Options{Calls: accessCalls()}), unix, tcp)
	dialer := net.Dialer{}
	overSocket := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "unix", socket)
	}}}
	defer overSocket.CloseIdleConnections()
	overTCP := &http.Client{Transport: &http.Transport{}}
	defer overTCP.CloseIdleConnections()
	for path, want := range map[string]int{"/x/local": 200, "/x/secret": 403} {
		if code, body := post(t, overSocket, "http://any.name"+path); code != want {
			t.Errorf("unix socket, %s: %d %s", path, code, body)
		}
		if code, body := post(t, overTCP, "http://"+tcp.Addr().String()+path); code != want {
			t.Errorf("TCP, %s: %d %s", path, code, body)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", tcp.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

func TestServeEndsWhenAListenerFails(t *testing.T) {
	good, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bad, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bad.Close()
	if err := newServer(t, Options{}).Serve(t.Context(), good, bad); err == nil {
		t.Error("no error")
	}
}
