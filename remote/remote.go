// Package remote defines the interface of a storage for files, its errors and its optional
// abilities.
//
// A Remote is a tree of files somewhere: a local directory, an S3 bucket, an SFTP host. Drivers
// (one package each below this one) implement it, decorators (retry, limit, faulty, ...) wrap it,
// and everything above works on the interface alone. An ability that only some remotes have is a
// one-method interface (Mover, Hasher, Stager, ...), asserted in one place: the helper of the same
// name in this package. Decorators embed Forward, so that none loses an ability.
//
// Names obey io/fs.ValidPath: slash-separated, no leading slash, no "." or ".." elements; "." is
// the root. A name may hold any bytes except NUL; it need not be UTF-8. ValidPath checks this; any
// other name is ErrInvalid.
//
// Errors are *fs.PathErrors with the name inside the remote, and satisfy errors.Is with the
// sentinels of this package. Only ErrNotExist means that a file or directory does not exist: a
// remote that cannot be reached never returns ErrNotExist. A name below a file is ErrNotExist or
// ErrNotDir.
//
// Package remotetest holds the conformance suite: one subtest for each sentence of these contracts.
//
//	remote.go      the Remote, its values, and most optional abilities
//	name.go        paths and names
//	errors.go      the errors; final.go and refusal.go classify them further
//	stage.go       uploads in pieces: Stager, Stage
//	ability.go     the helpers that make calls of optional abilities
//	move.go        Move and Copy, also where the remote has no such call
//	forward.go     the base of decorators
//	conditional.go PutIf: stored only if nobody has changed what is replaced
//	reader.go      readers that know their version; tap.go: looking into streams
//	unanswered.go  changes whose answer was lost; clock.go: what time it is there
//	uploads.go     multipart uploads that a killed process leaves
//	watch.go       changes made by others
//	omitted.go     entries that a listing omits; entries.go: listings as sequences
//	caps.go        what several remotes have in common
//	digest.go modtime.go sizeonly.go ages.go sweep.go background.go sleep.go warn.go  one idea each
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
// or errors.Is(err, ctx.Err()); but a change that the server may have received completely waits for
// its answer, for AnswerTime at most, and succeeds or fails as that answer says. If there is no
// answer, the call reports that by Unanswered.
type Remote interface {
	// Info returns the remote's name and abilities. It does no I/O and its result never changes.
	Info() Info

	// Stat describes the file or directory called name. Its cost does not depend on the size of the
	// parent. The root always exists, unless the remote cannot be reached or its root is missing.
	Stat(ctx context.Context, name string) (Entry, error)

	// List yields the entries of dir, in no particular order, fetching them as the caller takes
	// them: memory does not grow with the directory. The first error ends the sequence. Listing a
	// file yields ErrNotDir, a missing directory ErrNotExist. A file that disappears meanwhile is
	// omitted. Unfinished uploads are yielded with Part set; where Caps.ImplicitDirs, those into a
	// directory that is missing precede the ErrNotExist. Every name is a ValidName; entries
	// that the server has under another name, or that cannot be parsed, are omitted and reported by
	// Omitted. If nothing of an answer can be parsed, the error is ErrMalformed.
	List(ctx context.Context, dir string) iter.Seq2[Entry, error]

	// Open reads name from byte off, n bytes or, with n < 0, to the end. Reading past the end is
	// io.EOF, not an error, so that off may equal or exceed the size. A directory is ErrIsDir. The
	// caller closes the reader; ending ctx makes its Read fail. The reader may be an *os.File (then
	// n < 0) or an io.WriterTo, for zero-copy sending; a file of the local disk does not watch ctx,
	// as its Read does not block: the code that copies from it does.
	Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error)

	// Put stores body as name, creating missing parents only where Caps.ImplicitDirs is set. All or
	// nothing: when Put fails, ctx ends or body fails with anything but io.EOF, the old content
	// stays and a partial file is never visible. When it returns nil, a Stat that starts afterwards
	// sees the new file. A directory of that name is ErrIsDir, a body of another length than
	// announced ErrSize. A file cannot be created below a file. (Where Caps.ImplicitDirs, checking
	// for a directory costs as much as storing a small file: it is done once for each directory
	// that files are stored in, and changes that others make to it in the minutes after that are
	// not seen.) The end of ctx does not interrupt a blocked Read of body: a caller whose body can
	// block makes its Read fail then.
	Put(ctx context.Context, name string, body io.Reader, o PutOptions) (Entry, error)

	// Remove deletes the file called name. A missing one is ErrNotExist, a directory ErrIsDir. Its
	// directory stays, also where Caps.ImplicitDirs: it exists until Rmdir.
	Remove(ctx context.Context, name string) error

	// Mkdir creates the directory dir. One that exists is ErrExist (also when a file has that
	// name); a missing parent is ErrNotExist, except where Caps.ImplicitDirs.
	Mkdir(ctx context.Context, dir string) error

	// Rmdir removes the empty directory dir. A directory with entries is ErrNotEmpty, a file
	// ErrNotDir, a missing one ErrNotExist; the root is ErrPermission. Kept unfinished uploads do
	// not count as entries: they are removed with it, where Caps.ImplicitDirs also when it is
	// missing.
	Rmdir(ctx context.Context, dir string) error

	// Close releases the resources of the remote. Calls in progress may fail. It is called once.
	Close() error
}

// An Entry describes a file or directory. It is a value that never changes after it was returned.
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
	// together). "" when unknown; List may omit it where Stat returns it.
	Version string
	// Digest is a checksum of the content, if the server sends it together with the rest; List
	// omits it.
	Digest Digest
	// Part is the owner of an unfinished upload (see Stager). Such an entry is not a file yet: only
	// the vfs shows it, and only to its owner. "" for everything else.
	Part string
}

// PutOptions are the optional parameters of Put. The zero value is valid.
type PutOptions struct {
	Size    int64     // length of body in bytes; 0 = unknown; a body of another length fails the Put
	ModTime time.Time // zero = now; ignored where Caps.ModTime is 0; a time that cannot be kept may be replaced
	// FactsOf names a file whose facts the new one inherits: everything that the storage keeps of a
	// file besides content, time and permission bits, such as content type, metadata, tags and
	// storage class. It may be the file that is replaced. "" and a missing file mean the facts of a
	// new file; if facts may not be read, the Put fails.
	FactsOf string
}

// Info describes a remote.
type Info struct {
	Name string // for users and logs: "local:/srv/ftp", "s3:bucket/prefix"; never a secret
	// Place identifies the location of the files among all others, and does not depend on the
	// remote's other options: it is the key under which their cached copies are found again. Never
	// a secret. "" = Name is that key.
	Place string
	Caps  Caps
}

// Identity returns Place, or Name if Place is "".
func (i Info) Identity() string {
	if i.Place != "" {
		return i.Place
	}
	return i.Name
}

// Caps are a remote's abilities as data. Abilities that are optional interfaces are not repeated
// here.
type Caps struct {
	ReadOnly        bool          // nothing can be changed (http)
	ImplicitDirs    bool          // directories exist by having files in them (object stores); see Put
	CaseInsensitive bool          // "A" and "a" are one file
	Modes           bool          // Entry.Mode is real
	MoveDir         bool          // Move takes directories
	CheapStat       bool          // Stat and List are as cheap as those of a cache: do not cache them (local, memory)
	ModTime         time.Duration // precision with which modification times are kept; 0 = not kept
	MaxName         int           // longest name element in bytes; 0 = no limit known
	NoParts         bool          // a Stager's unfinished uploads are never kept
	PartsApart      bool          // an UploadLister lists those, too: no directory has to be looked through (s3)
}

// A Mover can rename without transferring the content.
type Mover interface {
	// Move renames from to to. A file atomically replaces a file; afterwards from is gone. A
	// directory moves only where Caps.MoveDir, and only to a name that does not exist (ErrExist). A
	// file over a directory is ErrIsDir. Moving a name onto itself does nothing; moving a directory
	// below itself is ErrInvalid.
	//
	// Where Caps.ImplicitDirs, a directory does not move in one step: everything in it is copied,
	// then the original is removed. A failure before that leaves the original untouched; one after
	// it is ErrExist, and the new directory is complete. A directory with too many files for this
	// is ErrPermission.
	Move(ctx context.Context, from, to string) error
}

// A Copier can duplicate a file without transferring the content.
type Copier interface {
	// Copy makes to a file of the same content as from, replacing it like Put.
	Copy(ctx context.Context, from, to string) error
}

// A VersionRemover can remove a file on the precondition that it was not replaced.
type VersionRemover interface {
	// RemoveVersion removes the file called name if its version (Entry.Version, not "") is still
	// version. A file of another version stays, and the error is ErrChanged; otherwise it is
	// Remove. If the server checks the precondition, this is atomic; otherwise the version is
	// compared just before the removal.
	RemoveVersion(ctx context.Context, name, version string) error
}

// A ModTimer can set modification times.
type ModTimer interface {
	// SetModTime sets the modification time of the file called name to t, to the precision of
	// Caps.ModTime. A time that the remote cannot keep is ErrInvalid, and the file keeps its old
	// time.
	SetModTime(ctx context.Context, name string, t time.Time) error
}

// A TimeTeller is a ModTimer made of other remotes, which knows whether one of them is one.
type TimeTeller interface {
	// SetsTimes reports whether SetModTime can change the time of any file. It does no I/O and its
	// result never changes.
	SetsTimes() bool
}

// A TimeChecker knows which modification times it can keep.
type TimeChecker interface {
	// CheckTime returns nil if SetModTime(name, t) would keep t, whatever happens to the file
	// before; ErrInvalid if it could not; and ErrUnsupported if only an attempt can find out. It
	// does no I/O.
	CheckTime(name string, t time.Time) error
}

// A Moder keeps permission bits and can change them.
type Moder interface {
	SetMode(ctx context.Context, name string, perm fs.FileMode) error
}

// A Hasher returns checksums of files without reading them over the network.
type Hasher interface {
	// Hash returns the raw digest of name's content by algorithm ("md5", "sha1", "sha256",
	// "sha512", "crc32"), or ErrUnsupported when it would have to be computed by reading the file.
	Hash(ctx context.Context, name, algorithm string) ([]byte, error)
}

// A NameChecker knows which names it cannot hold.
type NameChecker interface {
	// CheckName returns ErrBadName for the name of a file or directory that the remote can never
	// hold. It does no I/O.
	CheckName(name string) error
}

// A TargetChecker finds out more cheaply than by Stat whether a file of some name can exist.
type TargetChecker interface {
	// CheckTarget returns ErrIsDir if name is a directory, and ErrNotDir if one of its parents is a
	// file, as Put would; ErrNotExist if the parent is missing and that part of the remote has no
	// implicit directories; and ErrPermission where nothing can be stored. It remembers the answers
	// to its requests, and does not query name itself unless it must.
	CheckTarget(ctx context.Context, name string) error
}

// A Usager returns how full the remote is.
type Usager interface {
	Usage(ctx context.Context) (Usage, error)
}

// Usage is in bytes; -1 means unknown.
type Usage struct {
	Total, Used, Free int64
}
