// Package smb is a remote that keeps its files on an SMB server (Windows, Samba, a NAS), reached by
// SMB 2.0.2 to 3.1.1 over TCP (MS-SMB2), with NTLMv2.
//
// The first element of a path is a share. A remote whose root is the server itself lists the shares
// as directories, which can neither be made, renamed nor removed.
//
// An upload is written to a hidden file beside its target and renamed over it, in one step. The
// hidden files are named as package partname says, and package staging tells what becomes of them;
// a client can neither list nor name them.
//
// A server refuses to rename, replace or remove what somebody has open. What this program itself
// has open steps aside, as files.go says; a file that another client of the server has open is "in
// use".
//
// Links are followed as the server lets them be. Removing one removes the link.
//
//	smb.go            the remote
//	stage.go          uploads: stage.go, stagefile.go; part.go: the directory of one
//	copy.go move.go write.go read.go list.go directory.go stat.go usage.go  the operations
//	hiding.go         the directory of an upload, over a connection
//	handle.go         an open file; files.go: all of them, and how they step aside
//	gate.go           keeps calls away from a change
//	steady.go         looks again for what a change hides
//	dial.go           making connections; conn.go: one of them
//	name.go           the paths of its files, and what every call begins with
//	errors.go         what the answers of the server mean
package smb

import (
	"context"
	"errors"
	"os/user"
	"path"
	"strconv"
	"strings"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/driver/internal/staging"
	"ferry/remote/nameenc"
	"ferry/remote/network"
)

// Encoding is how names are written by default, as rclone does: what Windows does not take is
// replaced.
const Encoding = nameenc.Slash | nameenc.LtGt | nameenc.DoubleQuote | nameenc.Colon | nameenc.Question | nameenc.Asterisk |
	nameenc.Pipe | nameenc.BackSlash | nameenc.Ctl | nameenc.RightSpace | nameenc.RightPeriod | nameenc.InvalidUtf8 | nameenc.Dot

// Options say how the server is reached. Host is needed; the zero value of everything else is fine.
type Options struct {
	Network  network.Options
	Host     string
	Port     int    // 0 = 445
	User     string // "" = that of the process
	Password string
	Domain   string
	// Workstation is the name of this machine that a login tells; "" = none.
	Workstation string
	SPN         string // service principal name of the server; "" = none is sent

	Connections int           // for reading, and for everything else: how many are open at most; 0 = 4
	IdleTimeout time.Duration // after which an unused connection is closed; 0 = never

	ShowSpecial   bool // also list shares whose name ends with $
	CaseSensitive bool // "A" and "a" are two files on this server
	Encoding      nameenc.Encoding
	// PartMaxAge is how long after its last byte an unfinished upload can be continued; 0 = for
	// ever. Older ones are deleted when List or Stage come across them.
	PartMaxAge time.Duration
}

const (
	precision = 100 * time.Nanosecond // of modification times in the protocol
	maxName   = 255                   // UTF-16 units of a name
	chunksMax = 8                     // chunks of a file under way
)

// Remote is a directory on an SMB server, or the server.
type Remote struct {
	// constant
	info remote.Info
	o    Options
	root string // of shares and directories, separated by slashes; "" = the server

	pool *conns.Pool[*conn]
	// reads are the connections that files are read over: Samba lets a file be replaced that
	// another connection has open, so that who reads it keeps the old one.
	reads *conns.Pool[*conn]
	parts *staging.Parts
	files *files
}

// New serves the directory root, which begins with the name of a share, or the whole server if it
// is "". It connects to nobody; ctx is not kept.
func New(_ context.Context, root string, o Options) (*Remote, error) {
	if o.Host == "" {
		return nil, errors.New("smb: the option host is not set")
	}
	if o.Port == 0 {
		o.Port = 445
	}
	if o.Connections == 0 {
		o.Connections = 4
	}
	if o.User == "" {
		u, err := user.Current()
		if err != nil {
			return nil, errors.New("smb: the option user is not set")
		}
		o.User = u.Username
	}
	root = strings.Trim(path.Clean("/"+root), "/")
	// Every name here is one element, so that there are neither slashes nor dots to be replaced.
	o.Encoding &^= nameenc.Slash | nameenc.Dot
	caps := remote.Caps{MoveDir: true, CaseInsensitive: !o.CaseSensitive, MaxName: maxName, ModTime: precision}
	r := &Remote{
		info:  remote.Info{Name: "smb:" + o.User + "@" + o.Host + ":" + strconv.Itoa(o.Port) + "/" + root, Caps: caps},
		o:     o,
		root:  root,
		files: newFiles(),
	}
	r.parts = staging.New(staging.Options{
		MaxAge: o.PartMaxAge, Patience: conns.Patience, Fail: fail, In: r.in, Names: o.Encoding,
	})
	dial := (&dialer{o}).dial
	r.pool, r.reads = conns.NewPool(o.Connections, o.IdleTimeout, dial), conns.NewPool(o.Connections, o.IdleTimeout, dial)
	return r, nil
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info { return r.info }

// Close implements remote.Remote. What is under way fails.
func (r *Remote) Close() error {
	r.pool.Close()
	r.reads.Close()
	return nil
}
