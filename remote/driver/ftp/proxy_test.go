package ftp_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/memory"
)

// startTunnels runs an HTTP proxy that passes any connection on, and counts them.
func startTunnels(t *testing.T, passed *atomic.Int32) *url.URL {
	t.Helper()
	var tunnels sync.WaitGroup
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		passed.Add(1)
		tunnels.Add(2) // while the server still knows of the request
		near, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		for from, to := range map[net.Conn]net.Conn{near: far, far: near} {
			go func() {
				defer tunnels.Done()
				_, _ = io.Copy(to, from) // ends with either side
				_ = to.(*net.TCPConn).CloseWrite()
			}()
		}
	}))
	t.Cleanup(func() {
		s.Close()
		tunnels.Wait()
	})
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// All connections go through the proxy, those for data too.
func TestThroughAProxy(t *testing.T) {
	var passed atomic.Int32
	o := startFerry(t, memory.New(), nil)
	o.Network.Proxy = startTunnels(t, &passed)
	o.Host = "127.0.0.1"
	r := openRemote(t, "", o)
	if _, err := r.Put(t.Context(), "f", strings.NewReader("content"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	f, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); err != nil || string(b) != "content" {
		t.Errorf("%q, %v", b, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if n := passed.Load(); n < 3 {
		t.Errorf("%d connections went through the proxy: one, and one for each transfer, were to", n)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
