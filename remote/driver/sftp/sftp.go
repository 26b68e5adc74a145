// Package sftp is a remote that keeps its files on an SSH server, reached by SFTP version 3
// (draft-ietf-secsh-filexfer-02) with the extensions of OpenSSH where the server has them.
//
// An upload is written to a hidden file beside its target and renamed over it
// (posix-rename@openssh.com), so that a reader sees the old file or the new one. The hidden files
// are named as package partname says, and package staging tells what becomes of them; a client can
// neither list nor name them. Where the server cannot rename over a file,
// the old one is set aside for a moment and comes back when the rename fails.
//
// Symbolic links are followed, unless Options.SkipLinks. Fifos, sockets and devices are never
// listed and never opened. A file whose name is not as Options.Encoding would write it is left out
// of listings.
//
// Connections are made when they are needed, shared by calls, and closed when nobody has used them
// for a while.
package sftp

import (
	"context"
	"errors"
	"path"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/driver/internal/staging"
	"ferry/remote/nameenc"
	"ferry/remote/network"
	"ferry/remote/partname"
)

// Encoding is how names are written by default, as rclone does.
const Encoding = nameenc.Slash | nameenc.Dot

// Options say how the server is reached. Host is needed; the zero value of everything else is fine.
type Options struct {
	Network network.Options
	Host    string
	Port    int    // 0 = 22
	User    string // "" = that of the process

	Password      string
	KeyFile       string // of a private key; a leading ~ is the home directory
	KeyPEM        string // a private key itself
	KeyPassphrase string // of either
	UseAgent      bool   // ask the SSH agent, which is asked anyway when there is neither password nor key

	// KnownHosts is the file that holds the keys of hosts. "" is the user's own; then the first key
	// of a host that is not in it is believed, with a warning, and kept in Network.KnownHosts.
	KnownHosts string
	Algorithms Algorithms

	Subsystem     string // "" = sftp
	ServerCommand string // runs this command in place of the subsystem

	Connections int           // how many are open at most; 0 = 4
	IdleTimeout time.Duration // after which an unused connection is closed; 0 = never
	Concurrency int           // requests under way for one file; 0 = 64

	KeepModTime bool // modification times are set, where the caller has some
	SkipLinks   bool
	Encoding    nameenc.Encoding
	// PartMaxAge is how long after its last byte an unfinished upload can be continued; 0 = for
	// ever. Older ones are deleted when List or Stage come across them.
	PartMaxAge time.Duration
}

// Algorithms narrow down or widen what the connection is secured with; nil = what package ssh takes
// for secure.
type Algorithms struct {
	Ciphers, MACs, KeyExchanges, HostKeys []string
	Insecure                              bool // also those that are broken
}

// precision is that of modification times in version 3 of the protocol.
const precision = time.Second

// Remote is a directory on an SSH server.
type Remote struct {
	// constant
	info remote.Info
	o    Options
	root string // "" = where the server puts the user

	pool  *conns.Pool[*conn]
	parts *staging.Parts
}

// New serves the directory root of the host, relative to where the server puts the user unless it
// begins with a slash. It connects to nobody; ctx is not kept.
func New(_ context.Context, root string, o Options) (*Remote, error) {
	if o.Host == "" {
		return nil, errors.New("sftp: the option host is not set")
	}
	if o.Connections == 0 {
		o.Connections = 4
	}
	if o.Concurrency == 0 {
		o.Concurrency = 64
	}
	d, err := newDialer(o)
	if err != nil {
		return nil, err
	}
	if root != "" {
		root = path.Clean(root)
	}
	if root == "." {
		root = ""
	}
	caps := remote.Caps{Modes: true, MoveDir: true, MaxName: partname.MaxLen}
	if o.KeepModTime {
		caps.ModTime = precision
	}
	// Every name here is one element, so that there are neither slashes nor dots to be replaced.
	o.Encoding &^= nameenc.Slash | nameenc.Dot
	r := &Remote{
		info: remote.Info{Name: "sftp:" + d.user + "@" + d.addr + ":" + root, Caps: caps},
		o:    o,
		root: root,
	}
	r.parts = staging.New(staging.Options{
		MaxAge: o.PartMaxAge, Patience: conns.Patience, Fail: fail, In: r.in, Names: o.Encoding,
	})
	r.pool = conns.NewPool(o.Connections, o.IdleTimeout, d.dial)
	return r, nil
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info { return r.info }

// Close implements remote.Remote. What is under way fails.
func (r *Remote) Close() error {
	r.pool.Close()
	return nil
}
