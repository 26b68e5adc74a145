package ftp

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"net/netip"
	"syscall"
	"time"
)

// A Backend decides who may log in and what they then see. Its method may be called concurrently.
type Backend interface {
	// Login returns the tree that this client sees as "/". ErrDenied (possibly wrapped) is answered
	// 530; any other error is logged and answered 421 without its text. The session calls Close of
	// the tree when it no longer needs it.
	Login(ctx context.Context, c Client, user, password string) (FS, error)
}

// Client is what is known of the other side when it logs in.
type Client struct {
	Session uint64         // unique within the server's life
	Remote  netip.AddrPort // of the control connection
	Local   netip.AddrPort // the server's end of it
	TLS     bool           // the control connection is encrypted
	Host    string         // what HOST named (RFC 7151), "" without
	Name    string         // what CLNT said, "" without
}

// ErrDenied is what Login returns for a wrong user or password.
var ErrDenied = errors.New("login denied")

// FS is the tree that one client sees. Its methods are called by one session, one after the other,
// except that Stat and List may run while a reader or an Upload is open.
//
// Names obey io/fs.ValidPath, but need not be UTF-8; "." is the root. The engine has resolved the
// working directory: nobody below parses paths again.
//
// Errors satisfy errors.Is with fs.ErrNotExist, fs.ErrExist, fs.ErrPermission,
// errors.ErrUnsupported or the sentinels of this package; one table turns them into replies. An
// error that also has a method Hint() string gives the client that text (one line, safe to show,
// says what would help).
type FS interface {
	// Stat describes name. The FileInfo may have the methods of Owned, Dated and Identified.
	// Mode().Perm() and IsDir are used as they are; a Size below 0 means unknown.
	Stat(ctx context.Context, name string) (fs.FileInfo, error)

	// List yields the entries of dir as they come, in any order, in constant memory. The first
	// error ends it.
	List(ctx context.Context, dir string) iter.Seq2[fs.FileInfo, error]

	// Open reads name from byte off on. Reading past the end is io.EOF. The result may be an
	// *os.File or an io.WriterTo; then bytes go to the network without a copy. Its Read fails soon
	// after ctx ends.
	Open(ctx context.Context, name string, off int64) (io.ReadCloser, error)

	// Create starts an upload at byte off: 0 replaces (STOR), AtEnd appends (APPE), else it
	// continues behind the first off bytes (REST n, STOR). Everything that can be refused is
	// refused here, before a byte is taken.
	Create(ctx context.Context, name string, off int64) (Upload, error)

	Remove(ctx context.Context, name string) error
	Rename(ctx context.Context, from, to string) error
	Mkdir(ctx context.Context, dir string) error
	Rmdir(ctx context.Context, dir string) error

	// Close frees what the tree holds. Nothing is called after it.
	Close() error
}

// AtEnd is the offset of Create that means: behind the last byte.
const AtEnd = -1

// An Upload is a file on its way in. It may be an io.ReaderFrom, for zero-copy receiving; the
// engine calls ReadFrom repeatedly, each time with the next slice of the connection, and also again
// after it returned an error that is os.ErrDeadlineExceeded: then only the connection was silent
// for a while.
type Upload interface {
	io.Writer

	// Commit publishes what was written. 226 is sent only after it returned nil. ctx is the
	// session's, so that a client that leaves while the remote is slow does not keep it waiting for
	// ever.
	Commit(ctx context.Context) error

	// Abort ends the upload unpublished: the old content stays. The bytes may be kept for a later
	// REST. It does nothing after a Commit that succeeded, and may be called more than once.
	Abort()
}

// What an FS may do besides. Each is asserted in one place.
type (
	// A ModTimer can set modification times: MFMT, MDTM with a time, SITE UTIME.
	ModTimer interface {
		SetModTime(ctx context.Context, name string, t time.Time) error
	}
	// A Moder keeps permission bits: SITE CHMOD.
	Moder interface {
		SetMode(ctx context.Context, name string, perm fs.FileMode) error
	}
	// A Hasher may know digests without reading the file: HASH, XMD5 and the like. It answers
	// errors.ErrUnsupported where it does not, and the engine reads the file. Algorithms: "crc32",
	// "md5", "sha1", "sha256", "sha512".
	Hasher interface {
		Hash(ctx context.Context, name, algorithm string) ([]byte, error)
	}
	// A Sizer describes name as Stat does, for who wants to know the size of a file: SIZE. It is
	// for storages that can answer this sooner.
	Sizer interface {
		StatSize(ctx context.Context, name string) (fs.FileInfo, error)
	}
	// A Spacer knows how many bytes can still be stored: AVBL, ALLO. Below 0 means unknown.
	Spacer interface {
		Free(ctx context.Context, dir string) (int64, error)
	}
	// A Permitter tells what this client may do with an entry: the perm fact of MLSD and MLST.
	// Without it everything is claimed to be allowed.
	Permitter interface {
		Permitted(name string, info fs.FileInfo) Perm
	}
	// Owned is implemented by a FileInfo that knows its owner and group.
	Owned interface {
		Owner() (uid, gid uint32)
	}
	// Dated is implemented by a FileInfo whose ModTime may be the zero time, as it is not known,
	// and that has another time for LIST, which has to show one.
	Dated interface {
		ListTime() time.Time
	}
	// Identified is implemented by a FileInfo that knows an identity which stays with the file when
	// it is renamed; 0 means unknown.
	Identified interface {
		ID() uint64
	}
)

// Perm is a set of things a client may do with an entry (RFC 3659, section 7.5.5).
type Perm uint8

const (
	PermRead   Perm = 1 << iota // RETR a file, or enter and list a directory
	PermWrite                   // STOR over a file, or APPE to it
	PermCreate                  // create files and directories in a directory
	PermDelete                  // DELE the file or RMD the directory
	PermRename                  // RNFR
	PermPurge                   // delete what is in a directory

	// PermAll is every right.
	PermAll = PermRead | PermWrite | PermCreate | PermDelete | PermRename | PermPurge
)

// Errors beyond those of io/fs that the reply table knows. They are errno values, so that what an
// operating system reports needs no translation.
var (
	ErrIsDir       error = syscall.EISDIR
	ErrNotDir      error = syscall.ENOTDIR
	ErrNotEmpty    error = syscall.ENOTEMPTY
	ErrNoSpace     error = syscall.ENOSPC // 452: may pass
	ErrQuota       error = syscall.EDQUOT // 552: does not pass by itself
	ErrBadName     error = syscall.EILSEQ // 553
	ErrNameTooLong error = syscall.ENAMETOOLONG
)
