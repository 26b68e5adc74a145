package ftp

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/netip"
	"syscall"
	"time"
)

// A Backend decides who may log in and which tree they see. Its method may be called concurrently.
type Backend interface {
	// Login returns the tree that this client sees as "/". ErrDenied (possibly wrapped) is answered
	// 530; any other error is logged and answered 421 without its text. The session calls Close of
	// the tree when it no longer needs it.
	Login(ctx context.Context, c Client, user, password string) (FS, error)
}

// A CertBackend is a Backend that may know a client by its certificate.
type CertBackend interface {
	// LoginByCertificate is Login without a password, at USER: it is answered 232 (RFC 2228,
	// section 3). It is called if the client has proved to own c.Certificates. ErrDenied means that
	// this user needs a password; any other error is answered as one of Login.
	LoginByCertificate(ctx context.Context, c Client, user string) (FS, error)
}

// Client describes the client at its login.
type Client struct {
	Session uint64         // unique within the server's life
	Remote  netip.AddrPort // of the control connection
	Local   netip.AddrPort // the server's end of it
	TLS     bool           // the control connection is encrypted
	Host    string         // argument of HOST (RFC 7151), "" without
	Name    string         // argument of CLNT, "" without

	// Certificates are those of the client, its own first, which were verified as the TLS
	// configuration says; nil without.
	Certificates []*x509.Certificate
}

// Errors of Login. The client learns nothing of which it was; a log and the Guard do.
var (
	ErrDenied      = errors.New("login denied")                // wrong password
	ErrUnknownUser = fmt.Errorf("%w: unknown user", ErrDenied) // there is no such user
	ErrRefused     = fmt.Errorf("%w by a rule", ErrDenied)     // as for a user who is disabled
)

// ErrConcealed is wrapped by an error of Commit of which only the client is not to know: it is told
// that the upload is complete. For everybody else the upload is refused.
var ErrConcealed = errors.New("the client is not told")

// FS is the tree that one client sees. Its methods are called by one session, one after the other,
// except that Stat and List may run while a reader or an Upload is open.
//
// Names obey io/fs.ValidPath, but need not be UTF-8; "." is the root. The engine has resolved the
// working directory: an FS does not parse paths.
//
// Errors satisfy errors.Is with fs.ErrNotExist, fs.ErrExist, fs.ErrPermission,
// errors.ErrUnsupported or the sentinels of this package; one table turns them into replies. If an
// error has a method Hint() string, the client receives that text (one line, safe to show, with the
// remedy).
type FS interface {
	// Stat describes name. The FileInfo may have the methods of Owned, Dated, Identified and
	// Partial.
	// Mode().Perm() and IsDir are used as they are; a Size below 0 means unknown.
	Stat(ctx context.Context, name string) (fs.FileInfo, error)

	// List yields the entries of dir in any order, in constant memory. The first error ends it.
	List(ctx context.Context, dir string) iter.Seq2[fs.FileInfo, error]

	// Open reads name from byte off on. Reading past the end is io.EOF. The result may be an
	// *os.File or an io.WriterTo; then bytes are sent without a copy. It may be Sized. Its Read
	// fails soon after ctx ends.
	Open(ctx context.Context, name string, off int64) (io.ReadCloser, error)

	// Create starts an upload at byte off: 0 replaces (STOR), AtEnd appends (APPE), else it
	// continues after the first off bytes (REST n, STOR). Everything that can be refused is refused
	// here, before a byte is received.
	Create(ctx context.Context, name string, off int64) (Upload, error)

	Remove(ctx context.Context, name string) error
	Rename(ctx context.Context, from, to string) error
	Mkdir(ctx context.Context, dir string) error
	Rmdir(ctx context.Context, dir string) error

	// Close releases the resources of the tree. No method is called after it.
	Close() error
}

// AtEnd is the offset of Create that means: after the last byte.
const AtEnd = -1

// An Upload is a file being received. It may be an io.ReaderFrom, for zero-copy receiving. The
// engine calls ReadFrom repeatedly, each time with the next slice of the connection, and again
// after an error that is os.ErrDeadlineExceeded: then the connection was only silent for a while.
type Upload interface {
	io.Writer

	// Commit publishes what was written. 226 is sent only after it returned nil. ctx is the
	// session's, so that Commit does not wait forever for a slow remote after the client has left.
	Commit(ctx context.Context) error

	// Abort ends the upload without publishing it: the old content stays. The bytes may be kept for
	// a later REST. It does nothing after a Commit that succeeded, and may be called more than
	// once.
	Abort()
}

// Optional abilities of an FS. Each is asserted in one place.
type (
	// A ModTimer sets modification times: MFMT, MDTM with a time, SITE UTIME.
	ModTimer interface {
		SetModTime(ctx context.Context, name string, t time.Time) error
	}
	// A TimeTeller knows whether a ModTimer can set the time of any file at all.
	TimeTeller interface {
		SetsTimes() bool
	}
	// A Moder keeps permission bits: SITE CHMOD.
	// errors.ErrUnsupported means that no file has any.
	Moder interface {
		SetMode(ctx context.Context, name string, perm fs.FileMode) error
	}
	// A Hasher may know digests without reading the file: HASH, XMD5 and the like. It returns
	// errors.ErrUnsupported if it does not; then the engine reads the file. Algorithms: "crc32",
	// "md5", "sha1", "sha256", "sha512".
	Hasher interface {
		Hash(ctx context.Context, name, algorithm string) ([]byte, error)
	}
	// A Sizer describes name as Stat does, if only the size of a file is needed: SIZE. It is for
	// storages that can do this faster.
	Sizer interface {
		StatSize(ctx context.Context, name string) (fs.FileInfo, error)
	}
	// A Spacer returns how many bytes can still be stored: AVBL, ALLO. Below 0 means unknown.
	Spacer interface {
		Free(ctx context.Context, dir string) (int64, error)
	}
	// A Permitter returns what this client may do with an entry: the perm fact of MLSD and MLST.
	// Without it the fact claims that everything is allowed.
	Permitter interface {
		Permitted(name string, info fs.FileInfo) Perm
	}
	// A CaseFolder reports whether it may find a name under one that differs in case. The engine
	// does not ask; decorators that know names do.
	CaseFolder interface {
		FoldsCase() bool
	}
	// A Keeper can refuse to replace. CreateNew is Create, and RenameNew is Rename, of a name that
	// no file may have: if one has it, the error is fs.ErrExist, and that of Commit if one has it
	// by then. With alone another upload of the name that is in progress counts as a file. The
	// engine does not ask; decorators do.
	Keeper interface {
		CreateNew(ctx context.Context, name string, off int64, alone bool) (Upload, error)
		RenameNew(ctx context.Context, from, to string, alone bool) error
	}
	// A Placer is an FS whose Uploads and renames may end under another name than was asked for,
	// because that is taken. RenameBeside is Rename, and returns the name.
	Placer interface {
		RenameBeside(ctx context.Context, from, to string) (name string, err error)
	}
	// Placed is implemented by an Upload whose name may be another than Create was asked for; 226
	// tells it.
	Placed interface {
		Name() string
	}
	// Known is implemented by an Upload that knows, after a Commit that succeeded, what it has
	// become: how large the file is, below 0 = unknown, and its digest as "md5:" and hexadecimal
	// digits, "" = unknown.
	Known interface {
		Became() (size int64, digest string)
	}
	// Wrapping is implemented by an Upload around another one.
	Wrapping interface {
		Unwrap() Upload
	}
	// A Dropper is an Upload of which nothing is to be kept. Drop is Abort, but there is nothing to
	// continue after it. The engine does not ask; decorators do.
	Dropper interface {
		Drop(ctx context.Context)
	}
	// A Limited FS limits the session that it was made for. Limits is called once, after the login.
	Limited interface {
		Limits() Limits
	}
	// Owned is implemented by a FileInfo with owner and group.
	Owned interface {
		Owner() (uid, gid uint32)
	}
	// Dated is implemented by a FileInfo whose ModTime may be unknown (the zero time), and that has
	// another time for LIST, which must show one.
	Dated interface {
		ListTime() time.Time
	}
	// Identified is implemented by a FileInfo with an identity that does not change with a rename;
	// 0 means unknown.
	Identified interface {
		ID() uint64
	}
	// Waiting is implemented by a FileInfo that may describe a file which waits at another node to
	// be stored, and cannot be read yet: "" = it does not.
	Waiting interface {
		WaitsAt() string
	}
	// Partial is implemented by a FileInfo that may describe an unfinished upload of this client.
	Partial interface {
		Unfinished() bool
	}
)

// Limits are those of one session. The zero value is none.
type Limits struct {
	Start string        // directory after login, absolute or relative to the root; "" = the root
	Idle  time.Duration // replaces Server.IdleTimeout; 0 = it does not

	Private bool // data connections in clear are refused, as with Server.RequireTLS

	// Up and Down wait until n more bytes may be received or sent on a data connection; nil = at
	// once. They return an error soon after ctx ends.
	Up, Down func(ctx context.Context, n int) error

	// Transfer is called before a data connection is used; done when the transfer has ended. An
	// error is answered 450, with its Hint. nil = any number of transfers.
	Transfer func() (done func(), err error)
}

// Perm is a set of permissions of a client for an entry (RFC 3659, section 7.5.5).
type Perm uint16

const (
	PermRead   Perm = 1 << iota // RETR a file, or list a directory
	PermWrite                   // STOR over a file
	PermAppend                  // APPE to a file, or continue it after REST
	PermEnter                   // CWD to a directory
	PermCreate                  // create files in a directory
	PermMkdir                   // create directories in a directory
	PermDelete                  // DELE the file or RMD the directory
	PermRename                  // RNFR
	PermPurge                   // delete what is in a directory

	// PermAll is every right.
	PermAll Perm = 1<<iota - 1
)

// Errors in the reply table besides those of io/fs. They are errno values, so that errors of the
// operating system need no translation.
var (
	ErrIsDir       error = syscall.EISDIR
	ErrNotDir      error = syscall.ENOTDIR
	ErrNotEmpty    error = syscall.ENOTEMPTY
	ErrNoSpace     error = syscall.ENOSPC // 452: temporary
	ErrQuota       error = syscall.EDQUOT // 552: permanent
	ErrBadName     error = syscall.EILSEQ // 553
	ErrNameTooLong error = syscall.ENAMETOOLONG
)

// Sized is a reader of FS.Open that knows the size of the file, from its first byte on; below 0 =
// unknown.
type Sized interface{ FileSize() int64 }
