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
//	smb.go            the remote, and the paths of its files
//	stage.go          uploads: stage.go, stagefile.go; part.go: the directory of one
//	copy.go move.go write.go read.go list.go directory.go stat.go usage.go  the operations
//	handle.go         an open file; files.go: all of them, and how they step aside
//	gate.go           keeps calls away from a change
//	dial.go           making connections; conn.go: one of them
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
	"unicode/utf16"
	"unicode/utf8"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/driver/internal/staging"
	"ferry/remote/nameenc"
	"ferry/remote/network"
	"ferry/remote/partname"
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
		parts: staging.New(staging.Options{MaxAge: o.PartMaxAge, Patience: conns.Patience, Fail: fail}),
		files: newFiles(),
	}
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

// CheckName implements remote.NameChecker.
func (r *Remote) CheckName(name string) error {
	return r.check(context.Background(), "checkname", name)
}

// check is what every operation begins with.
func (r *Remote) check(ctx context.Context, op, name string) error {
	switch {
	case !remote.ValidPath(name):
		return fail(op, name, remote.ErrInvalid)
	case !r.holdable(name):
		return fail(op, name, remote.ErrBadName)
	case ctx.Err() != nil:
		return fail(op, name, context.Cause(ctx))
	}
	return nil
}

// holdable reports whether a file may have the name: no element is hidden, or too long as it is
// written, or is a device or a path to the server.
func (r *Remote) holdable(name string) bool {
	for elem := range strings.SplitSeq(name, "/") {
		held := r.o.Encoding.Encode(elem)
		if partname.Hidden(elem) || units(held) > maxName || strings.ContainsRune(held, '\\') || device(held) {
			return false
		}
	}
	return true
}

// device reports whether Windows takes a name, whatever its extension, for that of a device; Samba
// lists such a file under another name.
func device(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	if len(stem) < 4 || stem[:3] != "COM" && stem[:3] != "LPT" {
		return false
	}
	digit := stem[3:]
	return utf8.RuneCountInString(digit) == 1 && strings.Contains("123456789¹²³", digit)
}

// units returns how long s is in UTF-16.
func units(s string) int {
	n := 0
	for _, c := range s {
		n += utf16.RuneLen(c)
	}
	return n
}

// A target is a file as the server knows it.
type target struct {
	share string // "" = the server itself
	path  string // in the share, separated by backslashes; "" = all of it
}

// target returns name as the server knows it.
func (r *Remote) target(name string) target {
	full := r.root
	if name != "." {
		full = strings.TrimPrefix(full+"/"+name, "/")
	}
	share, below, _ := strings.Cut(full, "/")
	if below == "" {
		return target{share: share}
	}
	return target{share, strings.ReplaceAll(r.o.Encoding.EncodePath(below), "/", `\`)}
}

// below returns the file called base, as on the disk, in the directory t.
func (t target) below(base string) target {
	if t.path == "" {
		return target{t.share, base}
	}
	return target{t.share, t.path + `\` + base}
}

// with calls use with a connection, which is shared with others.
func (r *Remote) with(ctx context.Context, op, name string, use func(c *conn) error) error {
	if err := r.check(ctx, op, name); err != nil {
		return err
	}
	c, err := r.pool.Get(ctx)
	if err != nil {
		return fail(op, name, err)
	}
	defer r.pool.Put(c)
	return fail(op, name, use(c))
}
