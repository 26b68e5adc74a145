package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/pflag"

	"ferry/remote/network"
)

// networkOptions are the values of the flags that say how the servers of remotes are reached.
type networkOptions struct {
	connect, idle         time.Duration // 0 = for ever
	caCerts               []string
	clientCert, clientKey string
	trustAll              bool
	bind                  netip.Addr
	http                  network.HTTP
}

// networkFlags are those of every command that connects to remotes.
func networkFlags() []flag {
	return []flag{
		{name: "contimeout", def: "1m", usage: "Time for a connection to the remote to come about; 0 is no limit",
			value: func(o *options) pflag.Value { return durationValue(&o.network.connect) }},
		{name: "timeout", def: "5m", usage: "Time without a byte after which a connection to the remote is given up; 0 is no limit",
			value: func(o *options) pflag.Value { return durationValue(&o.network.idle) }},
		{name: "ca-cert", usage: "File of certificates (PEM) that the remote's is checked with, instead of the system's. May be repeated",
			value: func(o *options) pflag.Value { return pathsValue(&o.network.caCerts) }},
		{name: "client-cert", usage: "Certificate file (PEM) to show to the remote",
			value: func(o *options) pflag.Value { return textValue(&o.network.clientCert) }},
		{name: "client-key", usage: "Private key file (PEM) of --client-cert",
			value: func(o *options) pflag.Value { return textValue(&o.network.clientKey) }},
		{name: "no-check-certificate", def: "false", bare: on, usage: "Trust any certificate of the remote. Whoever is in between can read along",
			value: func(o *options) pflag.Value { return boolValue(&o.network.trustAll) }},
		{name: "bind", usage: "Address or name of this machine that connections to the remote come from",
			value: func(o *options) pflag.Value { return bindValue(&o.network.bind) }},
		{name: "user-agent", usage: "What HTTP requests say who is asking",
			value: func(o *options) pflag.Value { return textValue(&o.network.http.UserAgent) }},
		{name: "header", usage: "Line of every HTTP request, as in 'X-Tenant: 7'. May be repeated",
			value: func(o *options) pflag.Value { return headersValue(&o.network.http.Headers) }},
		{name: "header-download", usage: "The same for requests that read (GET)",
			value: func(o *options) pflag.Value { return headersValue(&o.network.http.Download) }},
		{name: "header-upload", usage: "The same for requests that send something (PUT, POST, PATCH)",
			value: func(o *options) pflag.Value { return headersValue(&o.network.http.Upload) }},
		{name: "http-proxy", usage: "URL of a proxy for HTTP requests, instead of that of the environment",
			value: func(o *options) pflag.Value { return proxyValue(&o.network.http.Proxy) }},
		{name: "disable-http-keep-alives", def: "false", bare: on, usage: "Use each HTTP connection for one request",
			value: func(o *options) pflag.Value { return boolValue(&o.network.http.CloseEach) }},
		{name: "expect-continue-timeout", def: "1s", usage: "Time for a server to let an upload begin",
			value: func(o *options) pflag.Value { return durationValue(&o.network.http.ExpectContinue) }},
	}
}

// pathsValue is a list of files: each occurrence of the flag adds to it, and a comma separates several.
func pathsValue(p *[]string) pflag.Value {
	parse := func(s string) ([]string, error) { return slices.Concat(*p, strings.Split(s, ",")), nil }
	return &value[[]string]{p, "paths", parse, func(l []string) string { return strings.Join(l, ",") }}
}

// bindValue is an address of this machine, or a name of it.
func bindValue(p *netip.Addr) pflag.Value {
	parse := func(s string) (netip.Addr, error) {
		if s == "" {
			return netip.Addr{}, nil
		}
		if a, err := netip.ParseAddr(s); err == nil {
			return a.Unmap(), nil
		}
		found, err := net.LookupIP(s)
		if err != nil || len(found) == 0 {
			return netip.Addr{}, errors.New("use an address or a name of this machine")
		}
		a, _ := netip.AddrFromSlice(found[0])
		return a.Unmap(), nil
	}
	format := func(a netip.Addr) string {
		if !a.IsValid() {
			return ""
		}
		return a.String()
	}
	return &value[netip.Addr]{p, "address", parse, format}
}

// headersValue is a list of lines of requests; each occurrence of the flag adds one. What they say may be secret.
func headersValue(p *[]network.Header) pflag.Value {
	parse := func(s string) ([]network.Header, error) {
		name, text, ok := strings.Cut(s, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsFunc(name, noToken) || strings.ContainsFunc(text, unicode.IsControl) {
			return nil, errHeader
		}
		return append(slices.Clip(*p), network.Header{Name: name, Value: strings.TrimSpace(text)}), nil
	}
	format := func(all []network.Header) string {
		var names []string
		for _, h := range all {
			names = append(names, h.Name+": "+hidden)
		}
		return strings.Join(names, ",")
	}
	return &value[[]network.Header]{p, "header", parse, format}
}

// noToken reports whether a header's name may not have that letter (RFC 9110, section 5.6.2).
func noToken(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
}

// errHeader is an error that is told without the value.
var errHeader = errors.New("is not a line of a request: use NAME: VALUE")

// proxyValue is the URL of a proxy, which may hold a password.
func proxyValue(p **url.URL) pflag.Value {
	parse := func(s string) (*url.URL, error) {
		if s == "" {
			return nil, nil
		}
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) {
			return nil, errProxy
		}
		return u, nil
	}
	format := func(u *url.URL) string {
		if u == nil {
			return ""
		}
		return u.Redacted()
	}
	return &value[*url.URL]{p, "URL", parse, format}
}

// errProxy is an error that is told without the value.
var errProxy = errors.New("is not the URL of a proxy: use http://host:port, https or socks5")

// options reads the files that are named.
func (n *networkOptions) options() (network.Options, error) {
	o := network.Options{ConnectTimeout: orForever(n.connect), IdleTimeout: orForever(n.idle), Bind: n.bind, HTTP: n.http}
	if len(n.caCerts) == 0 && n.clientCert == "" && n.clientKey == "" && !n.trustAll {
		return o, nil
	}
	o.TLS = &tls.Config{InsecureSkipVerify: n.trustAll}
	if len(n.caCerts) > 0 {
		o.TLS.RootCAs = x509.NewCertPool()
	}
	for _, file := range n.caCerts {
		pem, err := os.ReadFile(file)
		if err != nil {
			return o, fmt.Errorf("--ca-cert: %w", err)
		}
		if !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return o, usagef("--ca-cert %q: there is no certificate in it", file)
		}
	}
	if n.clientCert == "" && n.clientKey == "" {
		return o, nil
	}
	if n.clientCert == "" || n.clientKey == "" {
		return o, usagef("--client-cert and --client-key belong together: set both")
	}
	pair, err := tls.LoadX509KeyPair(n.clientCert, n.clientKey)
	if err != nil {
		return o, fmt.Errorf("--client-cert, --client-key: %w", err)
	}
	o.TLS.Certificates = []tls.Certificate{pair}
	return o, nil
}

func orForever(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}
