// Package disktest is a disk in memory that does what real ones do at the worst moment: it loses
// what was not synced, it stops in the middle, it fills up, it is slow, and it says what was done
// to it.
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

// ErrStopped is what every operation returns from the one on at which the disk was told to stop.
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
	stopAt int // the operation, counted from 1, that does not happen; 0: none
	torn   int // of a write that does not happen, so many pages do
	size   int64
	fail   func(op, name string) error
	delay  func(op, name string) time.Duration

	// counters
	changes int // operations that change something, so far
	used    int64
	peak    int64
	log     []string
	logging bool
}

var _ disk.Disk = (*Disk)(nil)

// New returns an empty disk.
func New() *Disk { return &Disk{names: newNamespace(), boots: 1} }

// StopAt makes the n-th operation from now on that would change something fail with ErrStopped, and
// every operation after it: to the process, that is its death. If that operation is a write, the
// first torn pages of it are written.
func (d *Disk) StopAt(n, torn int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopAt, d.torn = d.changes+n, torn
}

// Changes returns how many operations have changed something, or tried to.
func (d *Disk) Changes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

// Stopped reports whether the disk has come to the operation at which it was to stop.
func (d *Disk) Stopped() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopped()
}

// LOCKS_REQUIRED(d.mu)
func (d *Disk) stopped() bool { return d.stopAt > 0 && d.changes >= d.stopAt }

// SetSize bounds the pages that are in use; a write that needs more is ENOSPC, after what fits. 0:
// no bound.
func (d *Disk) SetSize(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.size = bytes
}

// Fail asks f before each operation, with one of the words of Log and a name, for an error to
// return in its place.
func (d *Disk) Fail(f func(op, name string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = f
}

// Delay asks f before each operation how long it shall take.
func (d *Disk) Delay(f func(op, name string) time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delay = f
}

// Used returns how many bytes the pages of all files take, and Peak the most they ever took.
func (d *Disk) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used
}

// Peak returns the most that Used has been.
func (d *Disk) Peak() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.peak
}

// StartLog forgets the log and begins a new one.
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

// begin is the beginning of every operation: it is delayed, refused, or logged. The lock is held
// when it returns without an error.
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

// change is begin for an operation that changes something.
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

// admit counts pages that come into use, as many as fit.
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

// Free implements disk.Disk. A disk without a size cannot say.
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
