package network

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/proxy"
)

// ParseProxy parses the address of a proxy for any connection: of type http or socks5, with or
// without user and password. Errors never contain these.
func ParseProxy(kind, address string) (*url.URL, error) {
	if !strings.Contains(address, "://") {
		address = kind + "://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != kind || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("is not the address of a proxy: [user:password@]host:port")
	}
	if u.Port() == "" {
		return nil, errors.New("has no port")
	}
	return u, nil
}

// throughProxy turns a connection to the proxy p into one to addr, within timeout.
func throughProxy(ctx context.Context, conn net.Conn, p *url.URL, addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, os.ErrDeadlineExceeded)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	through, err := handshake(ctx, conn, p, addr)
	if !stop() && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("the proxy %s: %w", p.Host, err)
	}
	return through, nil
}

func handshake(ctx context.Context, conn net.Conn, p *url.URL, addr string) (net.Conn, error) {
	if p.Scheme == "http" {
		return connectHTTP(conn, p, addr)
	}
	var auth *proxy.Auth
	if p.User != nil {
		password, _ := p.User.Password()
		auth = &proxy.Auth{User: p.User.Username(), Password: password}
	}
	d, err := proxy.SOCKS5("tcp", p.Host, auth, already{conn})
	if err != nil {
		return nil, err
	}
	if _, err := d.(proxy.ContextDialer).DialContext(ctx, "tcp", addr); err != nil {
		return nil, err
	}
	return conn, nil
}

// already is a dialer that returns an existing connection.
type already struct{ conn net.Conn }

// Dial implements proxy.Dialer.
func (a already) Dial(string, string) (net.Conn, error) { return a.conn, nil }

// DialContext implements proxy.ContextDialer.
func (a already) DialContext(context.Context, string, string) (net.Conn, error) { return a.conn, nil }

// connectHTTP requests a tunnel from an HTTP proxy (RFC 9110, section 9.3.6).
func connectHTTP(conn net.Conn, p *url.URL, addr string) (net.Conn, error) {
	r := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{}}
	if p.User != nil {
		password, _ := p.User.Password()
		r.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(p.User.Username()+":"+password)))
	}
	if err := r.Write(conn); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, r)
	if err != nil {
		return nil, err
	}
	answer.Body.Close()
	if answer.StatusCode == http.StatusProxyAuthRequired {
		return nil, fmt.Errorf("it wants another user and password: %w", os.ErrPermission)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	return &tunnel{conn, in}, nil
}

// A tunnel first reads the bytes that arrived together with the proxy's answer.
type tunnel struct {
	net.Conn
	in *bufio.Reader
}

func (t *tunnel) Read(p []byte) (int, error) { return t.in.Read(p) }

// NetConn returns the wrapped connection.
func (t *tunnel) NetConn() net.Conn { return t.Conn }
