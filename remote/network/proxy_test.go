package network_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"ferry/remote/network"
)

// startProxy runs a proxy for one connection, which greet makes one to an address or refuses.
func startProxy(t *testing.T, greet func(c net.Conn, in *bufio.Reader) (target string, ok bool)) (addr string) {
	t.Helper()
	addr, accepted := listen(t)
	done := make(chan struct{})
	t.Cleanup(func() { <-done })
	go func() {
		defer close(done)
		c := <-accepted
		defer c.Close()
		in := bufio.NewReader(c)
		target, ok := greet(c, in)
		if !ok {
			return
		}
		far, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		defer far.Close()
		go func() { _, _ = io.Copy(far, in) }() // ends with far
		_, _ = io.Copy(c, far)                  // ends with the server
	}()
	return addr
}

// greetHTTP wants the user me with the password pass.
func greetHTTP(c net.Conn, in *bufio.Reader) (string, bool) {
	r, err := http.ReadRequest(in)
	if err != nil || r.Method != http.MethodConnect {
		return "", false
	}
	if r.Header.Get("Proxy-Authorization") != "Basic bWU6cGFzcw==" {
		_, _ = io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
		return "", false
	}
	_, err = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	return r.Host, err == nil
}

// greetSOCKS does so, too (RFC 1928, RFC 1929). It takes IPv4 addresses only.
func greetSOCKS(c net.Conn, in *bufio.Reader) (string, bool) {
	take := func(n int) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(in, b)
		return b
	}
	take(int(take(2)[1]))
	_, _ = c.Write([]byte{5, 2})
	user := string(take(int(take(2)[1])))
	password := string(take(int(take(1)[0])))
	if user != "me" || password != "pass" {
		_, _ = c.Write([]byte{1, 1})
		return "", false
	}
	_, _ = c.Write([]byte{1, 0})
	if request := take(4); request[3] != 1 {
		return "", false
	}
	ip := net.IP(take(4))
	port := binary.BigEndian.Uint16(take(2))
	_, err := c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	return net.JoinHostPort(ip.String(), strconv.Itoa(int(port))), err == nil
}

func TestAProxyPassesConnectionsOn(t *testing.T) {
	for kind, greet := range map[string]func(net.Conn, *bufio.Reader) (string, bool){"http": greetHTTP, "socks5": greetSOCKS} {
		t.Run(kind, func(t *testing.T) {
			target, accepted := listen(t)
			p, err := network.ParseProxy(kind, "me:pass@"+startProxy(t, greet))
			if err != nil {
				t.Fatal(err)
			}
			c, err := network.Options{Proxy: p}.Dial(t.Context(), "tcp", target)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			server := <-accepted
			defer server.Close()
			for from, to := range map[net.Conn]net.Conn{c: server, server: c} {
				if _, err := io.WriteString(from, "hello"); err != nil {
					t.Fatal(err)
				}
				b := make([]byte, 5)
				if _, err := io.ReadFull(to, b); err != nil || string(b) != "hello" {
					t.Errorf("%q, %v", b, err)
				}
			}
		})
	}
}

func TestAProxyThatRefuses(t *testing.T) {
	for kind, greet := range map[string]func(net.Conn, *bufio.Reader) (string, bool){"http": greetHTTP, "socks5": greetSOCKS} {
		p, err := network.ParseProxy(kind, "me:wr0ng@"+startProxy(t, greet))
		if err != nil {
			t.Fatal(err)
		}
		_, err = network.Options{Proxy: p}.Dial(t.Context(), "tcp", "127.0.0.1:9")
		if err == nil || !strings.Contains(err.Error(), "the proxy "+p.Host) || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestAProxyThatIsSilentIsLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	addr := startProxy(t, func(_ net.Conn, in *bufio.Reader) (string, bool) {
		_, _ = in.ReadByte()
		cancel()
		_, _ = io.Copy(io.Discard, in) // until the other side has gone
		return "", false
	})
	p, err := network.ParseProxy("http", addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (network.Options{Proxy: p}).Dial(ctx, "tcp", "127.0.0.1:9"); err == nil || ctx.Err() == nil {
		t.Errorf("%v", err)
	}
}

func TestAddressesOfProxies(t *testing.T) {
	for _, bad := range []string{"h", "s3cret@h", "s3cret:1:2", "ftp://h:1", "http://h:1/path", ""} {
		if p, err := network.ParseProxy("http", bad); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q is %v, %v", bad, p, err)
		}
	}
	for _, good := range []string{"h:1", "http://h:1", "http://u:p@h:1/"} {
		if p, err := network.ParseProxy("http", good); err != nil || p.Host != "h:1" {
			t.Errorf("%q is %v, %v", good, p, err)
		}
	}
}
