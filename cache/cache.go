// Package cache keeps the contents of files on a local disk, so that acknowledged changes
// survive the death of the process and a power loss at any instruction.
//
// A Store is passive: it makes no calls to a remote and has no callbacks. Each file on the disk is
// one content with a header that describes it (doc/cache-format.md). The directory of the file is
// its state:
//
//	tmp/    being written
//	part/   an unfinished upload that its owner may continue
//	dirty/  acknowledged, and not on the remote yet
//	lost/   refused by the remote permanently, or damaged; only the administrator removes it
//	clean/  a copy of a file on the remote; it may be evicted at any time
//	doubt/  notes of changes that were sent to the remote without a response so far
//
//	uploads/  notes of multipart uploads that have not ended
//
// The directory dirty/ is the queue of pending changes. There is no journal beside it: each change
// of the queue is one header write or one rename.
//
// The files, in reading order:
//
//	cache.go         Options, Record
//	store.go         Store: Open, Close, Run, Pending, Stats
//	recover.go       Open reads what an earlier process left; recoverparts.go: unfinished uploads
//	request.go       notes of requests in flight; uploads.go: of multipart uploads; note.go: both
//	syncspooled.go   makes spooled records durable
//	draft.go         Draft, a content being written; write.go: its writes; release.go: streams
//	promote.go       Done, CommitClean: a sent content becomes a clean copy
//	commit.go        Commit, Add, Update, Drop: the life of a record
//	retry.go         lost records are pending again; superseded.go: those that cannot be
//	lost.go          records that cannot be applied
//	claim.go         records of which it is open which node has them
//	content.go       Content: reading a record
//	entry.go         the file of a record, pending or lost: its header, its readers, its end
//	continue.go      keeping and continuing unfinished uploads; part.go: the index of them
//	draftend.go      the calls of a draft, and how it ends
//	cleanrun.go      background work on copies
//	clean.go         the set of clean copies
//	cleansend.go     sending a copy; cleanverify.go: checksums; cleancopy.go: reading and writing one
//	cleanevict.go    eviction; cleanindex.go: which copies are in use, and which are idle
//	cleanheader.go   the headers of copies; cleanuse.go: a copy in use, and which bytes of it are
//	quota.go         space: limits, reservations, waits, over share.go: with other Stores
//	inspect.go       headers that an earlier process left
//	slots.go         the two slots of a file; header.go: the header in a slot; field.go: its fields
//	dirsync.go       shared syncs of a directory
//	key.go           file names; fingerprint.go: versions of files
//	range.go         sets of bytes; age.go: clocks
package cache

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Errors besides those of the disk. Callers compare them with the io/fs and errno values
// themselves.
var (
	// ErrInUse is returned by Open when another process has the cache open.
	ErrInUse = errors.New("the cache is in use")

	// ErrVersion is returned by Open when a newer ferry has written the pending changes.
	ErrVersion = errors.New("a format of the cache that this version of ferry does not know")

	// ErrNoSpace means that the cache is full of pending changes, and that no space was freed for
	// Options.StallTimeout.
	ErrNoSpace error = syscall.ENOSPC

	// ErrNameTooLong means that names and other metadata do not fit in the header.
	ErrNameTooLong error = syscall.ENAMETOOLONG
)

// Options limit what a Store keeps. The zero value sets no limit.
type Options struct {
	MaxSize int64 // bytes in all; 0 or less: no limit
	// Share is a limit for several Stores together, in place of MaxSize; nil: this one has its own.
	Share   *Share
	MinFree int64 // bytes that stay free on the disk; 0 or less: none

	// MaxAge is how long a clean copy is kept after its last use, and PartMaxAge how long an
	// unfinished upload is kept; 0: forever. PollInterval is how often Run checks for expired ones;
	// 0: every minute.
	MaxAge, PartMaxAge, PollInterval time.Duration

	// StallTimeout is how long a write to a full cache waits without progress before it fails with
	// ErrNoSpace; 0: a minute.
	StallTimeout time.Duration
}

// Kind is the type of change that a Record describes.
type Kind uint8

const (
	File       Kind = iota // store the content as Name
	Removed                // Name was deleted here; delete it on the remote
	Dir                    // the directory Name was made here; make it on the remote
	Moved                  // Source was renamed to Name here; rename it on the remote
	RemovedDir             // the empty directory Name was removed here; remove it on the remote
)

// String returns the name of the kind for messages.
func (k Kind) String() string {
	switch k {
	case File:
		return "file"
	case Removed:
		return "removed"
	case Dir:
		return "dir"
	case Moved:
		return "moved"
	case RemovedDir:
		return "removed dir"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Base is what the remote had as Name when a Record was made.
type Base uint8

const (
	BaseUnknown Base = iota // the remote was not queried
	BaseAbsent              // nothing
	BasePresent             // with Record.BaseVersion, if the remote has versions
)

// Durability is what a change survives when the call returns.
type Durability uint8

const (
	Durable Durability = iota // it survives the loss of power
	Spooled                   // it survives the death of the process
)

// A Record is one pending change: it has not been applied to the remote yet. Of records with the
// same name, the one with the highest Seq is valid.
type Record struct {
	ID   string // given by the Store
	Seq  uint64 // given by the Store: the order of the changes, across restarts
	Kind Kind
	Name string

	Source string // the old name of a Moved; also one of Removes
	// FactsOf is the file on the remote whose metadata (content type, user metadata ...) a File
	// inherits: the file that it continues. "" = it is a new file.
	FactsOf string
	// Origin is whatever the caller wants to find with the record again. It is kept until the
	// record is dropped, also across renames and while the record is lost. If it does not fit in
	// the header together with the names, it does not survive the process.
	Origin string
	// Claim is set while it is open whose the record is: it has been offered to other nodes, or is
	// a copy of what another one has offered. It names where that is decided. Until then the record
	// is not pending, and no other one of its name is compared with it.
	Claim string

	Size    int64     // of a File or a Moved
	ModTime time.Time // zero: unknown

	Base        Base
	BaseVersion string

	// Removes are names to remove from the remote after Name has been stored: the file was renamed
	// while it was pending.
	Removes []string

	// Sent is what the remote may have under Name and Removes without anybody but this node having
	// changed it, besides BaseVersion and the record's own content. If it does not fit in the
	// header together with the names, it does not survive the process.
	Sent []Sent

	Committed time.Time // when the record was made
	Recovered bool      // found by Open
}

// Sent describes a content that this node has begun to send, or a version that it has replaced.
type Sent struct {
	Name    string    // where the remote may have it: one of Removes; "" = the name of the record
	Size    int64     // of a content; below 0 = only the version is known
	ModTime time.Time // as it was sent
	Version string    // "" = unknown
}
