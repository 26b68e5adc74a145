// Package rcbridge joins package rc, which answers calls, with what they are about: an FTP server,
// the tree that it serves, its cache.
package rcbridge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"ferry/auth"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/listen"
	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/places"
	"ferry/ftp"
	"ferry/hooks"
	"ferry/rc"
	"ferry/remote/wrap/count"
	"ferry/serve/defence"
	"ferry/vfs"
)

// A Control answers calls about a service.
type Control struct {
	Pair *ftp.KeyPair // nil without TLS

	server    *rc.Server
	base      string // path in front of the calls
	listeners []net.Listener
	log       *slog.Logger
	quit      chan int // the exit status that core/quit asks for
}

// A Subject is what the remote control is about.
type Subject struct {
	What   string // is served, as on the command line
	Server *ftp.Server
	Guard  *defence.Guard // of the server
	Tree   *vfs.FS        // that it serves
	Cache  places.Cache   // its Store is nil where there is none
	// Trees returns the other trees that are open now; nil = there never are any.
	Trees     func() []Opened
	Hooks     *hooks.Outbox // nil where no hook is told of anything
	Counts    *count.Remote
	Bandwidth *Bandwidth
	Drain     rc.Drainer        // nil: it cannot be drained
	Cluster   func() rc.Cluster // nil: there are no other nodes
	Version   string
	// Elsewhere returns how many sessions users and addresses have at other nodes; nil = none ever.
	Elsewhere func() (users, addresses map[string]int)
	Health    *rc.Health // nil = it is always well
	Pages     []rc.Page  // besides calls
	Inlets    []rc.Inlet // that others post to
	// Listeners are in place of those of --rc-addr; nil = there are none.
	Listeners []net.Listener

	MaxConnections int       // to the remote control
	Calls          []rc.Call // besides those about the others
}

// Opened is a tree that is open.
type Opened struct {
	What    string // as on a command line
	Tree    *vfs.FS
	Cache   places.Cache // its Store is nil where there is none
	Counts  *count.Remote
	Options *flags.Options
}

// Open opens the remote control that the flags ask for, nil for none.
func Open(ctx context.Context, o *flags.Options, log *slog.Logger, about Subject) (*Control, error) {
	if !o.RC.On() {
		return nil, nil
	}
	c := &Control{log: log, quit: make(chan int, 1), base: o.RC.BaseURL}
	check, err := passwords(&o.RC)
	if err != nil {
		return nil, err
	}
	c.server, err = rc.New(rc.Options{
		Calls:       slices.Concat(calls(o, about, c.askToQuit), about.Calls),
		Log:         log,
		Check:       check,
		Throttle:    &ftp.Throttle{}, // not that of FTP, where a login that anybody may make would forget guesses
		Health:      about.Health,
		Pages:       append(about.Pages[:len(about.Pages):len(about.Pages)], rc.Contents(treesOf(o, about))),
		Inlets:      about.Inlets,
		NoAuth:      o.RC.NoAuth,
		AllowOrigin: o.RC.AllowOrigin,
		Hosts:       hosts(&o.RC),
		BaseURL:     o.RC.BaseURL,

		MaxConnections: about.MaxConnections,
	})
	if err != nil {
		return nil, err
	}
	if o.RC.Cert != "" {
		if c.Pair, err = ftp.LoadCertificate(o.RC.Cert, o.RC.Key); err != nil {
			return nil, fmt.Errorf("--rc-cert, --rc-key: %w", err)
		}
		c.Pair.Log = log
	}
	c.listeners, err = listenAll(ctx, &o.RC, about.Listeners, c.Pair)
	if err != nil {
		return nil, err
	}
	warnOfRisks(&o.RC, log, c.listeners)
	return c, nil
}

// askToQuit notes the first status only: the program is ending then.
func (c *Control) askToQuit(status int) {
	select {
	case c.quit <- status:
	default:
	}
}

// Quitting yields the status that core/quit asks for. It may be called on nil.
func (c *Control) Quitting() <-chan int {
	if c == nil {
		return nil
	}
	return c.quit
}

// Run answers until ctx ends or a listener fails. It may be called on nil.
func (c *Control) Run(ctx context.Context) error {
	if c == nil {
		return nil
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	if c.Pair != nil {
		wg.Go(func() { _ = c.Pair.Run(ctx) }) // it returns when ctx has ended
	}
	err := c.server.Serve(ctx, c.listeners...)
	if err != nil {
		err = fmt.Errorf("remote control: %w", err)
	}
	return err
}

// Announce logs where clients connect to. It may be called on nil.
func (c *Control) Announce(ctx context.Context) {
	if c == nil {
		return
	}
	for _, l := range c.listeners {
		c.log.Log(ctx, logging.Notice, "serving remote control on "+urlOf(l, c.Pair != nil))
	}
	if page := c.Page(); page != "" {
		c.log.Log(ctx, logging.Notice, "what goes on is shown at "+page)
	}
}

// Page returns the address of the page for browsers, "" where there is none. It may be called on
// nil.
func (c *Control) Page() string {
	if c == nil {
		return ""
	}
	for _, l := range c.listeners {
		if l.Addr().Network() == "unix" {
			continue
		}
		u := url.URL{Scheme: "http", Host: l.Addr().String(), Path: "/"}
		if host, port, err := net.SplitHostPort(u.Host); err == nil && listen.IsLoopback(l) && host != "localhost" {
			u.Host = net.JoinHostPort("localhost", port)
		}
		if c.Pair != nil {
			u.Scheme = "https"
		}
		return u.JoinPath(c.base, "/").String()
	}
	return ""
}

// urlOf is how a client names the listener.
func urlOf(l net.Listener, secure bool) string {
	switch {
	case l.Addr().Network() == "unix":
		return flags.UnixScheme + l.Addr().String()
	case secure:
		return "https://" + l.Addr().String() + "/"
	}
	return "http://" + l.Addr().String() + "/"
}

// rememberLogins is how long a right password is not verified again.
const rememberLogins = 5 * time.Minute

// passwords returns what knows the passwords, nil for nothing.
func passwords(o *flags.RCOptions) (func(user, password string) rc.Rights, error) {
	var all, readers auth.Authenticator
	switch {
	case o.Htpasswd != "":
		h, err := auth.NewHtpasswd(o.Htpasswd, auth.NewVerifier(rememberLogins, 0))
		if err != nil {
			return nil, fmt.Errorf("--rc-htpasswd: %w", err)
		}
		all = h
	case o.User != "":
		all = auth.NewSingle(o.User, o.Pass.Reveal())
	}
	if o.ReadUser != "" {
		readers = auth.NewSingle(o.ReadUser, o.ReadPass.Reveal())
	}
	if all == nil && readers == nil {
		return nil, nil
	}
	return func(user, password string) rc.Rights {
		switch {
		case knows(all, user, password):
			return rc.MayChange
		case knows(readers, user, password):
			return rc.MayRead
		}
		return rc.NoRights
	}, nil
}

// knows reports whether the password of user is right. who may be nil.
func knows(who auth.Authenticator, user, password string) bool {
	if who == nil {
		return false
	}
	_, err := who.Authenticate(context.Background(), auth.Login{User: user, Password: password})
	return err == nil
}

// hosts are the names that clients may know the remote control by.
func hosts(o *flags.RCOptions) []string {
	var hosts []string
	if name, err := os.Hostname(); err == nil && name != "" {
		hosts = append(hosts, name)
	}
	for _, addr := range o.Addrs {
		if host, _, err := net.SplitHostPort(addr); err == nil && host != "" {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// listenAll opens all listeners, or none. TLS is for those that are not sockets of this machine.
func listenAll(ctx context.Context, o *flags.RCOptions, given []net.Listener, pair *ftp.KeyPair) (_ []net.Listener, err error) {
	var all []net.Listener
	defer func() {
		if err != nil {
			listen.CloseAll(all)
		}
	}()
	secure := func(l net.Listener) net.Listener {
		if pair == nil || l.Addr().Network() == "unix" {
			return l
		}
		return tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.GetCertificate})
	}
	if len(given) > 0 {
		for _, l := range given {
			all = append(all, secure(l))
		}
		return all, nil
	}
	for _, addr := range o.Addrs {
		if path, ok := strings.CutPrefix(addr, flags.UnixScheme); ok {
			l, err := listenUnix(ctx, path)
			if err != nil {
				return nil, fmt.Errorf("--rc-addr %q: %w", addr, err)
			}
			all = append(all, l)
			continue
		}
		ls, err := listen.On(ctx, addr)
		if err != nil {
			return nil, fmt.Errorf("--rc-addr %q: %w", addr, listen.Remedy(err))
		}
		for _, l := range ls {
			all = append(all, secure(l))
		}
	}
	return all, nil
}

// socketMode is who may connect to a socket: the user that ferry runs as.
const socketMode = 0o600

// listenUnix opens a socket. One that a process before this one has left is replaced; one that is
// in use is not.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if errors.Is(err, syscall.EADDRINUSE) && isDeadSocket(ctx, path) {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
		l, err = lc.Listen(ctx, "unix", path)
	}
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, socketMode); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// isDeadSocket reports whether path is a socket that nobody listens on.
func isDeadSocket(ctx context.Context, path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return false
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// warnOfRisks logs what an administrator should not find out from somebody else.
func warnOfRisks(o *flags.RCOptions, log *slog.Logger, listeners []net.Listener) {
	for _, l := range listeners {
		local := l.Addr().Network() == "unix" || listen.IsLoopback(l)
		switch url := urlOf(l, o.Cert != ""); {
		case o.NoAuth && !local:
			log.Warn("anybody who can reach " + url + " can control this server: there is --rc-no-auth")
		case o.AllowOrigin == "*" && o.NoAuth:
			log.Warn("every web page that is open in a browser that can reach " + url + " can control this server: there is --rc-allow-origin *")
		case !local && o.Cert == "" && !o.NoAuth:
			log.Warn("passwords for " + url + " go over the network in clear: give --rc-cert and --rc-key")
		}
	}
}
