// Package disk is the little that the cache asks of a local disk: ten operations on one directory
// tree, so that a test can put a disk in its place that loses what was not synced. Nothing leads
// out of the tree.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"time"
)

// A Disk is a directory tree. Names are paths as io/fs defines them, relative to its root. What
// happened survives a loss of power once it was synced: the content of a file by File.Sync, the
// entries of a directory by SyncDir. Until then it survives the death of the process only.
//
// Errors are those of the os package. A Disk may be used by several goroutines.
type Disk interface {
	// OpenFile opens a file with the flags of os.OpenFile. A new one is for its owner alone.
	OpenFile(name string, flag int) (File, error)

	// Rename moves a file in one step, over another one if there is one. The entry is gone from the
	// one directory and in the other one, or neither, also after a loss of power.
	Rename(from, to string) error

	// Remove removes a file or an empty directory. A file that is open stays readable.
	Remove(name string) error

	// Mkdir makes a directory; one that exists is no error.
	Mkdir(name string) error

	// ReadDir yields the entries of a directory in no order, without reading all of them first.
	// Entries that come or go meanwhile may be yielded or not.
	ReadDir(name string) iter.Seq2[fs.DirEntry, error]

	// SyncDir returns when what entered and left the directory before the call survives a loss of
	// power.
	SyncDir(name string) error

	// Free says how many bytes may still be written, or errors.ErrUnsupported.
	Free() (int64, error)

	// Boot names the present run of the machine: while it stays the same, nothing that was written
	// has been lost. It is empty where nobody knows.
	Boot() string

	// Lock makes this process the only one that holds the lock in the file name until the Closer is
	// closed or the process ends. Where another one has it, the error is a *HeldError.
	Lock(name string) (io.Closer, error)

	// Close ends the use of the tree. Files that are open stay open.
	Close() error
}

// A File is an open file. It may be used by several goroutines, as far as they do not depend on
// each other's bytes.
type File interface {
	io.ReaderAt
	io.WriterAt

	// ReadFromAt writes all that r yields from off on. On a real disk r reaches os.File.ReadFrom as
	// it is, which splices from a connection and has the file system copy from a file. Only one may
	// run at a time.
	ReadFromAt(r io.Reader, off int64) (int64, error)

	// Reader hands the file over to a reader of the bytes from off on, which closes it. On a real
	// disk it is an *os.File, which a connection sends without copying.
	Reader(off int64) (io.ReadCloser, error)

	// Size returns the length in bytes.
	Size() (int64, error)

	// ModTime returns when the content was last written, truncated or punched, as the clock said
	// then.
	ModTime() (time.Time, error)

	Truncate(size int64) error

	// Sync returns when the content survives a loss of power.
	Sync() error

	// PunchHole frees the room of n bytes from off on, which read as zeros from then on, or returns
	// errors.ErrUnsupported.
	PunchHole(off, n int64) error

	Close() error
}

// ErrHeld is what a HeldError is.
var ErrHeld = errors.New("the lock is held by another process")

// A HeldError says who has a lock.
type HeldError struct {
	Dir string // the tree, as it was opened
	PID int    // 0 when unknown
}

// Error implements error.
func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("another process uses %s", e.Dir)
	}
	return fmt.Sprintf("another process (pid %d) uses %s", e.PID, e.Dir)
}

// Is reports whether target is ErrHeld.
func (e *HeldError) Is(target error) bool { return target == ErrHeld }
