package rc

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// A caller is the sender of a request.
type caller struct {
	trusted bool // gave the right password, or none is needed
	reads   bool // gave the password of readers
	local   bool // from this machine
}

// may reports whether c may make a call. A reader may make those that only read, and no others:
// who has no password at all has no more rights for that.
func (c caller) may(a Access, reads bool) bool {
	if c.reads {
		return reads || a == Open
	}
	return c.trusted || a == Open || a == LocalOnly && c.local
}

// notAllowed is the error of a call that who may not make.
func notAllowed(who caller, path string) error {
	if who.reads {
		return withStatus(http.StatusForbidden, "the password is one of readers, who may not use %q", path)
	}
	return withStatus(http.StatusForbidden,
		"authentication must be set up on the rc server to use %q or the --rc-no-auth flag must be in use", path)
}

// Rights are what a password is good for.
type Rights uint8

const (
	NoRights  Rights = iota // it is wrong
	MayRead                 // the calls that change nothing and reveal no content
	MayChange               // every call
)

var errNoPassword = errors.New("a user and password are needed")

// identify returns the caller of r. It refuses requests that a browser sends for a page of another
// origin: with remembered credentials (cross-site request forgery), or by a name that an attacker
// has pointed to this server (DNS rebinding).
func (s *Server) identify(r *http.Request) (caller, error) {
	if s.origin != nil {
		if err := s.origin.Check(r); err != nil {
			return caller{}, withStatus(http.StatusForbidden, "a page of another origin may not call: %w (see --rc-allow-origin)", err)
		}
	}
	local := isLocal(r)
	if s.opt.Check != nil {
		user, password, ok := r.BasicAuth()
		if !ok {
			return caller{}, errNoPassword
		}
		rights, err := s.checkPassword(r, user, password)
		if err != nil {
			return caller{}, err
		}
		return caller{trusted: rights == MayChange, reads: rights == MayRead, local: local}, nil
	}
	// The page of a rebound name has no password, so this check is for servers without passwords.
	if s.origin != nil && !isUnix(r) && !Knows(r.Host, s.opt.Hosts...) {
		return caller{}, withStatus(http.StatusForbidden,
			"this server is not known as %q: use its address or a name that is in --rc-addr, or set a password", r.Host)
	}
	return caller{trusted: s.opt.NoAuth, local: local}, nil
}

// admit identifies the caller of r, or answers with the error.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, path string) (caller, bool) {
	who, err := s.identify(r)
	switch {
	case err == nil:
		return who, true
	case errors.Is(err, errTooManyGuesses):
		w.Header().Set("Retry-After", "60")
		http.Error(w, "Too many wrong passwords from your address; try again later.", http.StatusTooManyRequests)
	case errors.Is(err, errNoPassword):
		w.Header().Set("WWW-Authenticate", `Basic realm="ferry", charset="UTF-8"`)
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
	default:
		s.refuse(w, path, Params{}, err)
	}
	return caller{}, false
}

// isUnix reports whether r came over a unix socket.
func isUnix(r *http.Request) bool {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && a.Network() == "unix"
}

// isLocal reports whether r comes from this machine. A request forwarded by a local proxy does not.
func isLocal(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	if isUnix(r) {
		return true
	}
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// Knows reports whether host, with or without a port, surely means this server, which has those
// names of its own. Addresses do: only a name can be rebound.
func Knows(host string, names ...string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return strings.EqualFold(host, "localhost") || slices.ContainsFunc(names, func(own string) bool {
		return strings.EqualFold(host, own)
	})
}

// allowOrigin sets the CORS headers, which tell browsers which pages may call. The third header is
// rclone's name for the second.
func (s *Server) allowOrigin(h http.Header) {
	if s.opt.AllowOrigin == "" {
		return
	}
	const methods = "POST, OPTIONS"
	h.Set("Access-Control-Allow-Origin", s.opt.AllowOrigin)
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Request-Method", methods)
	h.Set("Access-Control-Allow-Headers", "authorization, Content-Type")
}
