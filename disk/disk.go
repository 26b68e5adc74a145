// Package disk is the interface of the cache to a local disk: ten operations on one directory tree,
// so that a test can replace it by a disk that loses unsynced data. No name leads out of the tree.
//
// The files, in reading order:
//
//	disk.go        Disk and File, the contracts
//	dir.go         both on a real directory; at_linux.go: with fewer system calls;
//	               unnamed_linux.go: files without a name
//	lock.go        the lock of a directory
//	boot_*.go      the rest by system: boot_*, free_*, hole_*, lock_*, sync_*
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"time"
)

// A Disk is a directory tree. Names are paths as io/fs defines them, relative to its root. Changes
// survive a power loss once they are synced: the content of a file by File.Sync, the entries of a
// directory by SyncDir. Until then they survive only the death of the process.
//
// Errors are those of the os package. A Disk may be used by several goroutines.
type Disk interface {
	// OpenFile opens a file with the flags of os.OpenFile. A new one is accessible to its owner
	// only.
	OpenFile(name string, flag int) (File, error)

	// Rename renames a file atomically and replaces an existing one. Both directories have the
	// change, or neither, even after a power loss.
	Rename(from, to string) error

	// Remove removes a file or an empty directory. An open file stays readable.
	Remove(name string) error

	// Mkdir makes a directory; it is no error if it exists.
	Mkdir(name string) error

	// ReadDir yields the entries of a directory in no order, without reading all of them first.
	// Entries added or removed meanwhile may be yielded or not.
	ReadDir(name string) iter.Seq2[fs.DirEntry, error]

	// SyncDir makes the entries that were added or removed before the call durable.
	SyncDir(name string) error

	// Free returns how many bytes may still be written, or errors.ErrUnsupported.
	Free() (int64, error)

	// Boot returns the boot ID of the machine: while it stays the same, nothing that was written is
	// lost. It is empty if unknown.
	Boot() string

	// Lock locks the file name exclusively until the Closer is closed or the process ends. If
	// another process holds the lock, the error is a *HeldError.
	Lock(name string) (io.Closer, error)

	// Close releases the tree. Open files stay open.
	Close() error
}

// A Namer is a Disk that can make files that have no name yet: that costs less than to rename them.
// It may still turn out that it cannot.
type Namer interface {
	// CreateUnnamed makes a file in the file system of the directory dir. It is gone when it is
	// closed, or its process ends, unless it has a name by then. The error may be
	// errors.ErrUnsupported.
	CreateUnnamed(dir string) (File, error)

	// Name gives a file that CreateUnnamed has returned a name that no file has. That survives as a
	// Rename to it does.
	Name(f File, name string) error
}

// A File is an open file. It may be used by several goroutines if they do not depend on each
// other's bytes.
type File interface {
	io.ReaderAt
	io.WriterAt

	// ReadFromAt writes everything that r yields at off. On a real disk r is passed to
	// os.File.ReadFrom unchanged, which splices from a connection and lets the file system copy
	// from a file. Only one may run at a time.
	ReadFromAt(r io.Reader, off int64) (int64, error)

	// Reader converts the file to a reader of the bytes from off on, which closes it. On a real
	// disk it is an *os.File, which a connection sends without copying.
	Reader(off int64) (io.ReadCloser, error)

	// Size returns the length in bytes.
	Size() (int64, error)

	// ModTime returns when the content was last written, truncated or punched, by the wall clock at
	// that time.
	ModTime() (time.Time, error)

	Truncate(size int64) error

	// Sync makes the content durable: it survives a power loss.
	Sync() error

	// PunchHole frees the space of n bytes from off on, which then read as zeros, or returns
	// errors.ErrUnsupported.
	PunchHole(off, n int64) error

	Close() error
}

// ErrHeld matches every HeldError.
var ErrHeld = errors.New("the lock is held by another process")

// A HeldError names the process that holds a lock.
type HeldError struct {
	Dir  string // the tree, as it was opened
	PID  int    // 0 when unknown
	Host string // the machine that it runs on; "" when unknown
}

// Error implements error.
func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("another process uses %s", e.Dir)
	}
	if here, err := os.Hostname(); e.Host != "" && (err != nil || here != e.Host) {
		return fmt.Sprintf("a process on %s (pid %d) uses %s", e.Host, e.PID, e.Dir)
	}
	return fmt.Sprintf("another process (pid %d) uses %s", e.PID, e.Dir)
}

// Is reports whether target is ErrHeld.
func (e *HeldError) Is(target error) bool { return target == ErrHeld }
