package flags

import (
	"errors"
	"net/url"
	"strings"

	"github.com/spf13/pflag"
)

// On reports whether there is a remote control.
func (o *RCOptions) On() bool { return o.Enabled || o.UI }

// Check refuses flags that contradict each other.
func (o *RCOptions) Check() error {
	switch {
	case (o.User == "") != (o.Pass == ""):
		return Usagef("--rc-user and --rc-pass go together: give both, or neither")
	case o.User != "" && o.Htpasswd != "":
		return Usagef("--rc-user and --rc-htpasswd exclude each other: give one of them")
	case (o.ReadUser == "") != (o.ReadPass == ""):
		return Usagef("--rc-read-user and --rc-read-pass go together: give both, or neither")
	case o.ReadUser != "" && o.ReadUser == o.User:
		return Usagef("--rc-read-user and --rc-user are the same name: give the reader another one")
	case o.NoAuth && (o.User != "" || o.Htpasswd != "" || o.ReadUser != ""):
		return Usagef("--rc-no-auth and passwords exclude each other: give one of them")
	case (o.Cert == "") != (o.Key == ""):
		return Usagef("--rc-cert and --rc-key go together (they may name the same file): give both, or neither")
	}
	return nil
}

// rcAddrs is a list of addresses and sockets.
func rcAddrs(p *[]string) pflag.Value { return several(p, "address", parseRCAddr) }

// UnixScheme begins the address of a socket.
const UnixScheme = "unix://"

// parseRCAddr returns host:port as it is, and the path of a socket with its scheme. A path needs no
// scheme: it is what has a slash in it.
func parseRCAddr(s string) (string, error) {
	path, isSocket := strings.CutPrefix(s, UnixScheme)
	switch {
	case isSocket && path == "":
		return "", errors.New("the path of the socket is missing: use unix:///run/ferry.sock")
	case isSocket || strings.Contains(s, "/"):
		return UnixScheme + path, nil
	}
	return s, checkAddr(s)
}

// origin is a scheme and a host, "*" or nothing.
func origin(p *string) pflag.Value {
	parse := func(s string) (string, error) {
		if s == "" || s == "*" {
			return s, nil
		}
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || s != u.Scheme+"://"+u.Host {
			return "", errors.New("use a scheme and a host, as in https://admin.example.org, or *")
		}
		return s, nil
	}
	return word(p, "origin", parse)
}
