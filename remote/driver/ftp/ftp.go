// Package ftp is a remote that keeps its files on an FTP server (RFC 959), with TLS (RFC
// 4217) on request and with machine listings and times (RFC 3659, MFMT) where the server has them.
//
// An upload is stored under a name beside its target that List does not show, its size is compared
// with what was sent, and then it is renamed over the target: so nobody sees a part, and the old
// file stays when something fails. What a process that was killed left is removed when List comes
// across it and it is old enough.
//
// A reply says little: 550 stands for nearly everything. What it means is found out by looking at
// the names concerned. A file that may not be looked at is taken for one that is not there.
//
// A server without MLSD is listed by LIST, whose times are exact to the minute, or to the day when
// they are old; Stat is no more exact then. Symbolic links that the server shows as such are left
// out.
package ftp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/nameenc"
	"ferry/remote/network"
)

// Encoding is how names are written by default, as rclone does.
const Encoding = nameenc.Slash | nameenc.Ctl | nameenc.Del | nameenc.Dot | nameenc.RightSpace

// Options say how the server is reached. Host is needed; the zero value of everything else is fine.
type Options struct {
	Network  network.Options // its TLS does not matter
	Host     string
	Port     int    // 0 = 21
	User     string // "" = anonymous
	Password string

	ImplicitTLS bool // the connection begins with TLS
	ExplicitTLS bool // it begins without, and AUTH TLS follows (RFC 4217)
	TLS         *tls.Config

	Connections int           // how many are open at most; 0 = as many as are needed
	IdleTimeout time.Duration // after which an unused connection is closed; 0 = never

	NoEPSV        bool // use PASV only
	NoMLSD        bool // use LIST only
	NoUTF8        bool // do not ask for UTF-8
	WriteMDTM     bool // set times by MDTM where there is no MFMT
	NoCheckUpload bool // do not ask for the size of what was stored
	Encoding      nameenc.Encoding
	// PartMaxAge is how old a hidden file must be before List removes it; 0 = it stays.
	PartMaxAge time.Duration
}

// Remote is a directory on an FTP server.
type Remote struct {
	// constant
	info remote.Info
	o    Options
	root string // as it was given; relative to where the server puts the user

	pool pool
	ages remote.Ages

	mu   sync.Mutex
	busy map[string]bool // hidden files being written, by their path on the server; guarded by mu
}

// New serves the directory root of the host, relative to where the server puts the user unless it
// begins with a slash. It connects once, to learn what the server can do. One that cannot be
// reached now, or does not answer before the deadline of ctx, is taken for one that can do what
// most can; one that refuses the login is an error.
func New(ctx context.Context, root string, o Options) (*Remote, error) {
	switch {
	case o.Host == "":
		return nil, errors.New("ftp: the option host is not set")
	case o.ImplicitTLS && o.ExplicitTLS:
		return nil, errors.New("ftp: the options tls and explicit_tls exclude each other")
	}
	if o.User == "" {
		o.User = "anonymous"
		if o.Password == "" {
			o.Password = "anonymous"
		}
	}
	if o.Port == 0 {
		o.Port = 21
	}
	// Every name here is one element, so that there are neither slashes nor dots to be replaced. A
	// line end in a command would end it.
	o.Encoding = o.Encoding&^(nameenc.Slash|nameenc.Dot) | nameenc.CrLf
	r := &Remote{o: o, root: root, busy: map[string]bool{}}
	d := &dialer{o: o, addr: net.JoinHostPort(o.Host, strconv.Itoa(o.Port))}
	if o.ImplicitTLS || o.ExplicitTLS {
		d.tls = tlsConfig(o)
	}
	r.pool.init(o.Connections, o.IdleTimeout, d.dial)
	r.ages.Began(time.Now())
	caps := remote.Caps{MoveDir: true, MaxName: maxName}
	s, err := r.pool.get(ctx)
	switch {
	case err == nil:
		caps.ModTime = s.precision()
		r.pool.put(s)
	case remote.Permanent(err) || errors.Is(ctx.Err(), context.Canceled):
		r.pool.close()
		return nil, err
	default:
		caps.ModTime = time.Second
	}
	r.info = remote.Info{Name: "ftp:" + o.User + "@" + d.addr + ":" + root, Caps: caps}
	return r, nil
}

// tlsConfig returns the configuration for all connections. They share their sessions: servers want
// to see on a data connection that it belongs to the control connection.
func tlsConfig(o Options) *tls.Config {
	c := &tls.Config{}
	if o.TLS != nil {
		c = o.TLS.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = o.Host
	}
	if c.ClientSessionCache == nil && !c.SessionTicketsDisabled {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(32)
	}
	return c
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info { return r.info }

// Close implements remote.Remote. What is under way fails.
func (r *Remote) Close() error {
	r.pool.close()
	return nil
}

// CheckName implements remote.NameChecker.
func (r *Remote) CheckName(name string) error {
	return r.check(context.Background(), "checkname", name)
}

// check is what every operation begins with.
func (r *Remote) check(ctx context.Context, op, name string) error {
	return fail(op, name, remote.CheckHeld(ctx, name, r.holds))
}

// holds reports whether a file may have the name: it is not too long as it is written, and does not
// hold the byte that is a command of Telnet (RFC 959 section 3.1, RFC 854), which servers read
// differently.
func (r *Remote) holds(elem string) bool {
	held := r.o.Encoding.Encode(elem)
	return len(held) <= maxName && strings.IndexByte(held, 0xff) < 0
}

// path returns name as the server knows it: always from its root, as sessions change their
// directory.
func (r *Remote) path(s *session, name string) string {
	root := r.root
	if !path.IsAbs(root) {
		root = path.Join(s.home, root)
	}
	root = path.Clean(root)
	if name == "." {
		return root
	}
	elements := strings.Split(name, "/")
	for i, e := range elements {
		elements[i] = r.o.Encoding.Encode(e)
	}
	return strings.TrimSuffix(root, "/") + "/" + strings.Join(elements, "/")
}

// with calls use with a session that nobody else uses meanwhile.
func (r *Remote) with(ctx context.Context, op, name string, use func(s *session) error) error {
	if err := r.check(ctx, op, name); err != nil {
		return err
	}
	s, err := r.pool.get(ctx)
	if err != nil {
		return fail(op, name, err)
	}
	defer r.pool.put(s)
	return fail(op, name, s.during(ctx, func() error { return use(s) }))
}
