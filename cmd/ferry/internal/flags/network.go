package flags

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

	"ferry/config"
	"ferry/remote/network"
)

// paths is a list of files: each occurrence of the flag adds to it, and a comma separates several.
func paths(p *[]string) pflag.Value {
	parse := func(s string) ([]string, error) { return slices.Concat(*p, strings.Split(s, ",")), nil }
	return &value[[]string]{p, kindFiles, parse, func(l []string) string { return strings.Join(l, ",") }}
}

// networks is a list of networks: each occurrence of the flag adds to it, and a comma separates
// several.
func networks(p *[]netip.Prefix) pflag.Value {
	parse := func(s string) ([]netip.Prefix, error) {
		list := slices.Clip(*p)
		for text := range strings.SplitSeq(s, ",") {
			n, err := config.ParseNetwork(text)
			if err != nil {
				return nil, err
			}
			list = append(list, n)
		}
		return list, nil
	}
	format := func(l []netip.Prefix) string {
		var texts []string
		for _, n := range l {
			texts = append(texts, n.String())
		}
		return strings.Join(texts, ",")
	}
	return &value[[]netip.Prefix]{p, "network", parse, format}
}

// bindAddr is an address of this machine, or a name of it.
func bindAddr(p *netip.Addr) pflag.Value {
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

// headers is a list of lines of requests; each occurrence of the flag adds one. What they say may
// be secret.
func headers(p *[]network.Header) pflag.Value {
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

// proxy is the URL of a proxy, which may hold a password.
func proxy(p **url.URL) pflag.Value {
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
	return &value[*url.URL]{p, kindURL, parse, format}
}

// errProxy is an error that is told without the value.
var errProxy = errors.New("is not the URL of a proxy: use http://host:port, https or socks5")

// Options reads the files that are named.
func (n *NetworkOptions) Options() (network.Options, error) {
	o := network.Options{ConnectTimeout: orForever(n.Connect), IdleTimeout: orForever(n.Idle), Bind: n.Bind, HTTP: n.HTTP}
	if len(n.CACerts) == 0 && n.ClientCert == "" && n.ClientKey == "" && !n.TrustAll {
		return o, nil
	}
	o.TLS = &tls.Config{InsecureSkipVerify: n.TrustAll}
	if len(n.CACerts) > 0 {
		o.TLS.RootCAs = x509.NewCertPool()
	}
	for _, file := range n.CACerts {
		pem, err := os.ReadFile(file)
		if err != nil {
			return o, fmt.Errorf("--ca-cert: %w", err)
		}
		if !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return o, Usagef("--ca-cert %q: there is no certificate in it", file)
		}
	}
	if n.ClientCert == "" && n.ClientKey == "" {
		return o, nil
	}
	if n.ClientCert == "" || n.ClientKey == "" {
		return o, Usagef("--client-cert and --client-key belong together: set both")
	}
	pair, err := tls.LoadX509KeyPair(n.ClientCert, n.ClientKey)
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
