// Package remote defines what ferry asks of a place that keeps files.
//
// A Remote is a tree of files somewhere: a local directory, an S3 bucket, an SFTP host. Drivers
// (one package each below this one) implement it, decorators (retry, limit, faulty, ...) wrap it,
// and everything above works on the interface alone. What only some remotes can do is a one-method
// interface of its own (Mover, Hasher, Stager, ...), asserted in one place: the helper of the same
// name in this package. Decorators embed Forward, so that none loses an ability.
//
// Names obey io/fs.ValidPath: slash-separated, no leading slash, no "." or ".." elements; "." is
// the root. A name may hold any bytes except NUL; it need not be UTF-8. ValidPath tells; any other
// name is ErrInvalid.
//
// Errors are *fs.PathErrors with the name inside the remote, and satisfy errors.Is with the
// sentinels of this package. Only ErrNotExist means that something is not there: a remote that
// cannot be reached never answers ErrNotExist. What lies below a file is ErrNotExist or ErrNotDir.
//
// Package remotetest holds the conformance suite: one subtest for each sentence of these contracts.
package remote

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"time"
)

// A Remote is a tree of files. All methods may be called concurrently. Every call that can block
// ends soon after its context does, with an error that satisfies errors.Is(err, context.Cause(ctx))
// or errors.Is(err, ctx.Err()); but a change that the far side may have received as a whole waits
// for its answer, AnswerTime at most, and succeeds or fails as that says. Where there is no answer,
// the call reports it by Unanswered.
type Remote interface {
	// Info returns the remote's name and abilities. It does no I/O and its result never changes.
	Info() Info

	// Stat describes the file or directory called name. Its cost does not depend on how many
	// entries the parent has. The root always exists, unless the remote cannot be reached or its
	// root is missing.
	Stat(ctx context.Context, name string) (Entry, error)

	// List yields the entries of dir, in no particular order, fetching them as the caller takes
	// them: memory does not grow with the directory. The first error ends the sequence. Listing a
	// file yields ErrNotDir, a missing directory ErrNotExist. A file that disappears meanwhile is
	// left out. Unfinished uploads are yielded with Part set. Every name is a ValidName; what the
	// far side has under another one, and what is not understood, is left out and reported by
	// Omitted. When nothing of an answer is understood, the error is ErrMalformed.
	List(ctx context.Context, dir string) iter.Seq2[Entry, error]

	// Open reads name from byte off on, n bytes or, with n < 0, to the end. Reading past the end is
	// io.EOF, not an error, so that off may equal or exceed the size. A directory is ErrIsDir. The
	// caller closes the reader; ending ctx makes its Read fail. The reader may be an *os.File (then
	// n < 0) or an io.WriterTo, for zero-copy sending; a file of the local disk does not watch ctx,
	// as its Read does not wait for anybody: who copies from it watches.
	Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error)

	// Put stores body as name, creating missing parents only where Caps.ImplicitDirs says so. All
	// or nothing: when Put fails, ctx ends or body fails with anything but io.EOF, the old content
	// stays and nobody ever sees a part. When it returns nil, a Stat that starts afterwards sees
	// the new file. A directory of that name is ErrIsDir, a body of another length than announced
	// ErrSize. Nothing comes below a file. (Where Caps.ImplicitDirs, asking what is a directory
	// costs as much as storing a small file: it is asked once for each directory that files are
	// stored in, and what others make of it in the minutes after that is not seen.) Ending ctx does
	// not interrupt a Read of body that blocks: whoever gives a body that can block lets its Read
	// fail then.
	Put(ctx context.Context, name string, body io.Reader, o PutOptions) (Entry, error)

	// Remove deletes the file called name. A missing one is ErrNotExist, a directory ErrIsDir. The
	// directory that it was in stays, also where Caps.ImplicitDirs: it lives until Rmdir.
	Remove(ctx context.Context, name string) error

	// Mkdir creates the directory dir. One that exists is ErrExist (also when a file has that
	// name); a missing parent is ErrNotExist, except where Caps.ImplicitDirs.
	Mkdir(ctx context.Context, dir string) error

	// Rmdir removes the empty directory dir. A full one is ErrNotEmpty, a file ErrNotDir, a missing
	// one ErrNotExist; the root is ErrPermission. Unfinished uploads that were kept do not make it
	// full: they go with it.
	Rmdir(ctx context.Context, dir string) error

	// Close frees what the remote holds. Calls under way may fail. It is called once.
	Close() error
}

// An Entry describes a file or directory. It is a value: nothing in it changes after it was
// returned.
type Entry struct {
	Name    string      // last element of the path; "." for the root
	Size    int64       // bytes; -1 when unknown; meaningless for directories
	ModTime time.Time   // zero when unknown
	Mode    fs.FileMode // permission bits only; 0 where the remote keeps none
	Dir     bool
	// ReadOnly reports that the remote would refuse to change this file's content, or the entries
	// of this directory.
	ReadOnly bool
	ID       uint64 // the same for the same file under any name, as long as it exists; 0 when unknown
	// Version changes whenever the content does (an ETag, a generation, or size, time and inode
	// together). "" when unknown; List may leave it out where Stat gives it.
	Version string
	// Digest is a checksum of the content, where the far side told it together with the rest; List
	// leaves it out.
	Digest Digest
	// Part is the owner of an unfinished upload (see Stager). Such an entry is not a file yet: only
	// the vfs shows it, and only to its owner. "" for everything else.
	Part string
}

// PutOptions are what Put may be told besides the content. The zero value is fine.
type PutOptions struct {
	Size    int64     // the number of bytes body will give; 0 = unknown; a body of another length fails the Put
	ModTime time.Time // zero = now; ignored where Caps.ModTime is 0; one that cannot be kept may become another one
	// FactsOf is a file whose facts the new one takes over: all that the far side keeps of a file
	// besides content, time and permission bits, such as content type, metadata, tags and storage
	// class. It may be the one that is replaced. "", and one that is not there, mean those of a
	// new file; facts that may not be read fail the Put.
	FactsOf string
}

// Info is what a remote says of itself.
type Info struct {
	Name string // for people and logs: "local:/srv/ftp", "s3:bucket/prefix"; never a secret
	// Place tells where the files are from everywhere else they could be, and stays the same
	// whatever other options a remote is given: what is kept of its files is found again by it.
	// Never a secret. "" = Name does that.
	Place string
	Caps  Caps
}

// Identity is Place, or Name where that says it all.
func (i Info) Identity() string {
	if i.Place != "" {
		return i.Place
	}
	return i.Name
}

// Caps are a remote's abilities as data. What is an optional interface is not repeated here.
type Caps struct {
	ReadOnly        bool          // nothing can be changed (http)
	ImplicitDirs    bool          // directories exist by having files in them (object stores); see Put
	CaseInsensitive bool          // "A" and "a" are one file
	Modes           bool          // Entry.Mode is real
	MoveDir         bool          // Move takes directories
	Live            bool          // Stat and List are as cheap as a cache would be: do not cache them (local, memory)
	ModTime         time.Duration // precision with which modification times are kept; 0 = not kept
	MaxName         int           // longest name element in bytes; 0 = no limit known
	NoParts         bool          // a Stager's unfinished uploads are never kept (object stores)
}

// A Mover can rename on its own side.
type Mover interface {
	// Move renames from to to. A file atomically replaces a file; afterwards from is gone. A
	// directory moves only where Caps.MoveDir, and only to a name that does not exist (ErrExist). A
	// file over a directory is ErrIsDir. Moving something onto itself does nothing; a directory
	// below itself is ErrInvalid.
	//
	// Where Caps.ImplicitDirs, a directory does not move in one step: everything in it is copied,
	// then the original is removed. A failure before that leaves the original alone; one after it
	// is ErrExist, and the new directory is whole. A directory that holds too many files for that
	// is ErrPermission.
	Move(ctx context.Context, from, to string) error
}

// A Copier can duplicate a file on its own side.
type Copier interface {
	// Copy makes to a file of the same content as from, replacing it like Put.
	Copy(ctx context.Context, from, to string) error
}

// A VersionRemover can remove a file on the precondition that nobody has replaced it.
type VersionRemover interface {
	// RemoveVersion removes the file called name if its version (Entry.Version, not "") is still
	// version. A file of another version stays, and is ErrChanged; otherwise it is Remove. Where
	// the far side checks the precondition itself, nothing can come between; elsewhere the version
	// is compared just before the removal.
	RemoveVersion(ctx context.Context, name, version string) error
}

// A ModTimer can set modification times.
type ModTimer interface {
	// SetModTime gives the file called name the modification time t, to the precision of
	// Caps.ModTime. A time that the remote cannot keep is ErrInvalid, and the file keeps the one
	// that it has.
	SetModTime(ctx context.Context, name string, t time.Time) error
}

// A TimeChecker knows which modification times it can keep.
type TimeChecker interface {
	// CheckTime returns nil when SetModTime(name, t) would keep t, whatever becomes of the file
	// before, ErrInvalid when it could not, and ErrUnsupported when only the attempt tells. It
	// does no I/O.
	CheckTime(name string, t time.Time) error
}

// A Moder keeps permission bits and can change them.
type Moder interface {
	SetMode(ctx context.Context, name string, perm fs.FileMode) error
}

// A Hasher knows checksums of files without reading them through the network.
type Hasher interface {
	// Hash returns the raw digest of name's content by algorithm ("md5", "sha1", "sha256",
	// "sha512", "crc32"), or ErrUnsupported when it would have to be computed by reading the file.
	Hash(ctx context.Context, name, algorithm string) ([]byte, error)
}

// A NameChecker knows which names it cannot hold.
type NameChecker interface {
	// CheckName returns ErrBadName for the name of a file or directory that the remote cannot hold,
	// whatever else there is. It does no I/O.
	CheckName(name string) error
}

// A TargetChecker finds out whether there can be a file of some name for less than looking at it
// costs.
type TargetChecker interface {
	// CheckTarget returns ErrIsDir when name is a directory, and ErrNotDir when something above it
	// is a file, as Put would; where a part of the remote makes no directories by itself,
	// ErrNotExist when that of name is missing, and ErrPermission where nothing can be stored. It
	// remembers what it has asked for, and does not look at a file of that name unless it must.
	CheckTarget(ctx context.Context, name string) error
}

// A Usager knows how full the remote is.
type Usager interface {
	Usage(ctx context.Context) (Usage, error)
}

// Usage is in bytes; -1 means unknown.
type Usage struct {
	Total, Used, Free int64
}
