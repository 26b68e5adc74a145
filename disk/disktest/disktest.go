// Package disktest is a disk in memory that fails as real ones do: it loses unsynced data, stops in
// the middle, fills up, is slow, and logs its operations.
//
// The files, in reading order:
//
//	disktest.go    Disk, its faults and its log
//	tree.go        the operations on names; namespace.go: which of them survive
//	file.go        the operations on files; inode.go: which bytes survive
//	crash.go       Restart after a crash
package disktest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"ferry/disk"
)

// ErrStopped is returned by every operation from the one set by StopAt on.
var ErrStopped = errors.New("the disk has stopped")

// The disk writes and frees pages, and loses sectors.
const (
	PageSize   = 4 << 10
	SectorSize = 512
)

// A Disk is a disk.Disk in memory.
type Disk struct {
	mu    sync.Mutex
	names namespace
	boots int
	held  bool // the lock

	// faults
	stopAt int // the operation, counted from 1, that fails; 0: none
	torn   int // pages written of a write that fails
	size   int64
	fail   func(op, name string) error
	delay  func(op, name string) time.Duration

	// counters
	changes int // number of changing operations so far
	used    int64
	peak    int64
	log     []string
	logging bool
}

var _ disk.Disk = (*Disk)(nil)

// New returns an empty disk.
func New() *Disk { return &Disk{names: newNamespace(), boots: 1} }

// StopAt makes the n-th changing operation from now on fail with ErrStopped, and every operation
// after it, as if the process had died. If that operation is a write, its first torn pages are
// written.
func (d *Disk) StopAt(n, torn int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopAt, d.torn = d.changes+n, torn
}

// Changes returns the number of changing operations, including failed ones.
func (d *Disk) Changes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

// Stopped reports whether the disk has reached the operation of StopAt.
func (d *Disk) Stopped() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopped()
}

// LOCKS_REQUIRED(d.mu)
func (d *Disk) stopped() bool { return d.stopAt > 0 && d.changes >= d.stopAt }

// SetSize limits the pages in use; a write that needs more writes what fits and returns ENOSPC. 0:
// no limit.
func (d *Disk) SetSize(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.size = bytes
}

// Fail calls f before each operation, with one of the words of Log and a name. If f returns an
// error, the operation fails with it.
func (d *Disk) Fail(f func(op, name string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = f
}

// Delay calls f before each operation for its duration.
func (d *Disk) Delay(f func(op, name string) time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delay = f
}

// Used returns how many bytes the pages of all files take.
func (d *Disk) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used
}

// Peak returns the maximum of Used so far.
func (d *Disk) Peak() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.peak
}

// StartLog clears the log.
func (d *Disk) StartLog() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log, d.logging = nil, true
}

// Log returns the operations since StartLog, one on a line: the word, the name, and for reads and
// writes offset and length. The words are create, open, read, write, truncate, punch, sync, rename,
// remove, mkdir, readdir and syncdir.
func (d *Disk) Log() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.log, "\n")
}

// begin starts every operation: it delays, fails or logs it. It returns with the lock held, unless
// it returns an error.
func (d *Disk) begin(op, name, detail string) error {
	d.mu.Lock()
	delay, fail := d.delay, d.fail
	d.mu.Unlock()
	if delay != nil {
		time.Sleep(delay(op, name))
	}
	if fail != nil {
		if err := fail(op, name); err != nil {
			return err
		}
	}
	d.mu.Lock()
	if d.stopped() {
		d.mu.Unlock()
		return ErrStopped
	}
	if d.logging {
		d.log = append(d.log, strings.TrimSpace(fmt.Sprintf("%s %s %s", op, name, detail)))
	}
	return nil
}

// change is begin for a changing operation.
func (d *Disk) change(op, name, detail string) error {
	if err := d.begin(op, name, detail); err != nil {
		return err
	}
	d.changes++
	if d.stopped() {
		if op != "write" {
			d.torn = 0
		}
		d.mu.Unlock()
		return ErrStopped
	}
	return nil
}

// admit reserves as many of the pages as fit.
//
// LOCKS_REQUIRED(d.mu)
func (d *Disk) admit(pages int64) (granted int64, err error) {
	if free := (d.size - d.used) / PageSize; d.size > 0 && pages > free {
		pages, err = max(free, 0), syscall.ENOSPC
	}
	d.used += pages * PageSize
	d.peak = max(d.peak, d.used)
	return pages, err
}

// Free implements disk.Disk. It is unsupported without a size.
func (d *Disk) Free() (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.size == 0 {
		return 0, errors.ErrUnsupported
	}
	return max(d.size-d.used, 0), nil
}

// Boot implements disk.Disk.
func (d *Disk) Boot() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Sprintf("boot %d", d.boots)
}

// Lock implements disk.Disk.
func (d *Disk) Lock(string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held {
		return nil, &disk.HeldError{Dir: "memory", PID: 1}
	}
	d.held = true
	return unlocker{d}, nil
}

type unlocker struct{ d *Disk }

func (u unlocker) Close() error {
	u.d.mu.Lock()
	defer u.d.mu.Unlock()
	u.d.held = false
	return nil
}

// Close implements disk.Disk.
func (d *Disk) Close() error { return nil }

// Files returns the names of all files, sorted.
func (d *Disk) Files() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for name, n := range d.names.live {
		if !n.dir {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
