// Package network connects to the servers of remotes, whatever their protocol: time-outs, proxies,
// TLS, and HTTP requests whose answers are not lost.
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

	"ferry/budget"
)

const (
	// ConnectTimeout is the default of Options.ConnectTimeout.
	ConnectTimeout = time.Minute
	// IdleTimeout is the default of Options.IdleTimeout.
	IdleTimeout = 5 * time.Minute
	// Attempts is the default of Options.Attempts.
	Attempts = 10
)

// Options configure connections to servers. The zero value is valid.
type Options struct {
	ConnectTimeout time.Duration // to establish a connection; 0 = ConnectTimeout, below 0 = for ever
	IdleTimeout    time.Duration // without a byte in either direction; 0 = IdleTimeout, below 0 = for ever
	Proxy          *url.URL      // see ParseProxy; nil = none
	TLS            *tls.Config   // trusted roots and client certificates; nil = the roots of the system
	KnownHosts     string        // file for keys of SSH hosts found in no other file; "" = they are kept in memory
	Bind           netip.Addr    // local address of connections; the zero Addr = any
	HTTP           HTTP
	// Attempts is how often at most a driver makes a request that only the driver itself can
	// repeat; 0 = Attempts.
	Attempts int
	// MaxEntries is how many entries of one directory a server may list; a longer listing is taken
	// as endless. 0 = MaxEntries.
	MaxEntries int
	// Memory bounds what uploads hold of contents on their way; nil = nothing does.
	Memory *budget.Budget
}

// forever is longer than any process runs.
const forever = 100 * 365 * 24 * time.Hour

// Connect returns how long establishing a connection may take.
func (o Options) Connect() time.Duration { return limit(o.ConnectTimeout, ConnectTimeout) }

// Idle returns how long a server may give no sign of life.
func (o Options) Idle() time.Duration { return limit(o.IdleTimeout, IdleTimeout) }

func limit(d, def time.Duration) time.Duration {
	if d < 0 {
		return forever
	}
	return cmp.Or(d, def)
}

// Tries returns how often at most a driver makes a request that only the driver itself can repeat.
func (o Options) Tries() int { return cmp.Or(o.Attempts, Attempts) }

// Config returns a TLS configuration that the caller may change.
func (o Options) Config() *tls.Config {
	if o.TLS == nil {
		return &tls.Config{}
	}
	return o.TLS.Clone()
}

// Dial connects. The connection fails when no byte has moved in either direction for the duration
// of Idle.
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
		conn, err = throughProxy(ctx, conn, o.Proxy, addr, o.Connect())
	}
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: conn, timeout: o.Idle()}, nil
}

// idleConn is how long a connection is kept for the next request.
const idleConn = time.Minute

// Transport returns a transport for HTTP requests with these options, which keeps up to idle idle
// connections for each host. Answers are not decompressed: lengths and ranges are those of files.
// HTTP/2 is not used: its streams share one connection, so that one slow or broken transfer would
// disturb the others.
func (o Options) Transport(idle int) *Transport {
	var only1 http.Protocols
	only1.SetHTTP1(true)
	via := http.ProxyFromEnvironment
	if o.HTTP.Proxy != nil {
		via = http.ProxyURL(o.HTTP.Proxy)
	}
	return &Transport{Transport: &http.Transport{
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
	}, says: o.HTTP}
}
