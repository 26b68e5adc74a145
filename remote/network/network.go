// Package network says how the servers of remotes are reached, whatever they speak.
package network

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

const (
	// ConnectTimeout is that of Options which name none.
	ConnectTimeout = time.Minute
	// IdleTimeout is that of Options which name none.
	IdleTimeout = 5 * time.Minute
	// Attempts is that of Options which name none.
	Attempts = 10
)

// Options are what a user may say of connections to servers. The zero value is fine.
type Options struct {
	ConnectTimeout time.Duration // for a connection to come about; 0 = ConnectTimeout, below 0 = for ever
	IdleTimeout    time.Duration // without a byte in either direction; 0 = IdleTimeout, below 0 = for ever
	Proxy          *url.URL      // passes connections on, see ParseProxy; nil = none
	TLS            *tls.Config   // what is trusted, and who one is; nil = what the system trusts
	KnownHosts     string        // file for the keys of SSH hosts that no other file names; "" = they are kept in memory
	Bind           netip.Addr    // of this machine, that connections come from; the zero Addr = any
	HTTP           HTTP
	// Attempts is how often a driver makes a request at most which only it can make again; 0 =
	// Attempts.
	Attempts int
	// MaxEntries is how many entries a server may list of one directory; what has more has no end.
	// 0 = MaxEntries.
	MaxEntries int
}

// forever is longer than any process runs.
const forever = 100 * 365 * 24 * time.Hour

// Connect is how long a connection may take to come about.
func (o Options) Connect() time.Duration { return limit(o.ConnectTimeout, ConnectTimeout) }

// Idle is how long a server may give no sign of life.
func (o Options) Idle() time.Duration { return limit(o.IdleTimeout, IdleTimeout) }

func limit(d, def time.Duration) time.Duration {
	if d < 0 {
		return forever
	}
	return cmp.Or(d, def)
}

// Tries is how often a driver makes a request at most which only it can make again.
func (o Options) Tries() int { return cmp.Or(o.Attempts, Attempts) }

// Config returns a TLS configuration that the caller may change.
func (o Options) Config() *tls.Config {
	if o.TLS == nil {
		return &tls.Config{}
	}
	return o.TLS.Clone()
}

// Dial connects. The connection fails when nothing has moved in either direction for as long as
// Idle says.
func (o Options) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: o.Connect()}
	if o.Bind.IsValid() && network != "unix" {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(o.Bind, 0))
	}
	to := addr
	if o.Proxy != nil {
		network, to = "tcp", o.Proxy.Host
	}
	conn, err := d.DialContext(ctx, network, to)
	if err == nil && o.Proxy != nil {
		conn, err = o.throughProxy(ctx, conn, addr)
	}
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: conn, timeout: o.Idle()}, nil
}

// idleConn is how long a connection is kept for the next request.
const idleConn = time.Minute

// Transport returns what makes HTTP requests by these options, with as many idle connections for
// each host. What comes is not unpacked: lengths and ranges are those of files. HTTP/2 is not used:
// its streams share one connection, so that one slow or broken transfer would disturb the others.
func (o Options) Transport(idle int) *Transport {
	var only1 http.Protocols
	only1.SetHTTP1(true)
	via := http.ProxyFromEnvironment
	if o.HTTP.Proxy != nil {
		via = http.ProxyURL(o.HTTP.Proxy)
	}
	return &Transport{&http.Transport{
		Proxy:                 via,
		DialContext:           o.Dial,
		TLSClientConfig:       o.Config(),
		TLSHandshakeTimeout:   o.Connect(),
		ResponseHeaderTimeout: o.Idle(),
		ExpectContinueTimeout: cmp.Or(o.HTTP.ExpectContinue, time.Second),
		DisableKeepAlives:     o.HTTP.CloseEach,
		MaxIdleConnsPerHost:   idle,
		IdleConnTimeout:       idleConn,
		DisableCompression:    true,
		Protocols:             &only1,
	}, o.HTTP}
}
