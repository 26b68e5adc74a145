// Package cache keeps the contents of files on a local disk, so that what was acknowledged survives
// the death of the process and the loss of power at any instruction.
//
// A Store is passive. It is asked by those who know what the files are for; it knows no remote and
// calls nobody back. One file on the disk is one content together with a header that says what it
// is (doc/cache-format.md); the directory that it stands in says in which state:
//
//	tmp/    being written
//	part/   an unfinished upload that its owner may continue
//	dirty/  acknowledged, and not on the remote yet
//	lost/   refused by the remote for good, or damaged; only the administrator removes it
//	clean/  a copy of what is on the remote; it may vanish at any time
//	doubt/  notes of changes that were asked of the remote and not answered
//
//	uploads/  notes of uploads in parts that were begun and not ended
//
// The directory dirty/ is the queue. There is no journal beside it: a file that waits is state, and
// each change of what waits is one header write or one rename.
package cache

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Errors besides those of the disk. Those that a caller tells apart are the io/fs and errno values
// themselves.
var (
	// ErrInUse is what Open returns when another process has the cache.
	ErrInUse = errors.New("the cache is in use")

	// ErrVersion is what Open returns when a newer ferry has written what waits.
	ErrVersion = errors.New("a format of the cache that this version of ferry does not know")

	// ErrNoSpace means that the cache is full of what has not been sent yet, and that nothing moved
	// for Options.Patience.
	ErrNoSpace error = syscall.ENOSPC

	// ErrNameTooLong means that what is to be kept beside the content does not fit the header.
	ErrNameTooLong error = syscall.ENAMETOOLONG
)

// Options say how much a Store keeps. The zero value keeps everything.
type Options struct {
	MaxSize int64 // bytes in all; 0 or less: no limit
	MinFree int64 // bytes that stay free on the disk; 0 or less: none

	// MaxAge is how long a clean copy is kept after it was last used, and PartMaxAge how long an
	// unfinished upload is kept; 0: for ever. PollInterval is how often Run looks for those that
	// are older; 0: each minute.
	MaxAge, PartMaxAge, PollInterval time.Duration

	// Patience is how long a write to a full cache waits while nothing moves before it is
	// ErrNoSpace; 0: a minute.
	Patience time.Duration
}

// Kind is what a Record wants done.
type Kind uint8

const (
	File       Kind = iota // the content is to be stored as Name
	Removed                // Name is deleted here, and is to be deleted there
	Dir                    // the directory Name was made here, and is to be made there
	Moved                  // what the remote has as Source was renamed to Name here, and is to be renamed there
	RemovedDir             // the empty directory Name was removed here, and is to be removed there
)

// String returns a word for a message.
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
	BaseUnknown Base = iota // nobody has asked
	BaseAbsent              // nothing
	BasePresent             // with Record.BaseVersion, if the remote has versions
)

// Ack says what must hold before a call returns.
type Ack uint8

const (
	Durable Ack = iota // it survives the loss of power
	Spooled            // it survives the death of the process
)

// A Record is one change that waits to be carried out on the remote. Of records that claim the same
// name, the one of the highest Seq counts.
type Record struct {
	ID   string // given by the Store
	Seq  uint64 // given by the Store: the order of the changes, across restarts
	Kind Kind
	Name string

	Source string // of what is Moved; it is one of Removes
	// FactsOf is the file on the remote whose facts (content type, metadata ...) a File takes
	// over: the one that it continues. "" = it is a new file.
	FactsOf string

	Size    int64     // of a File, or of one that is Moved
	ModTime time.Time // zero: unknown

	Base        Base
	BaseVersion string

	// Removes are names that are to be removed from the remote when Name has been stored there:
	// where the file was renamed while it waited.
	Removes []string

	Committed time.Time // when the record was made
	Recovered bool      // found by Open
}

// A Fingerprint tells the versions of a file apart.
type Fingerprint struct {
	Version string // empty where the remote has none
	Size    int64
	ModTime time.Time
	Hash    string
}

// Equal reports whether both are of the same version: by Version where both have one, else by all
// the rest. A hash counts where both have one.
func (f Fingerprint) Equal(g Fingerprint) bool {
	if f.Version != "" && g.Version != "" {
		return f.Version == g.Version
	}
	if f.Hash != "" && g.Hash != "" && f.Hash != g.Hash {
		return false
	}
	return f.Size == g.Size && f.ModTime.Equal(g.ModTime)
}
