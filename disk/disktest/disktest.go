// Package disktest is a disk in memory that fails as real ones do: it loses unsynced data, stops in
// the middle, fills up, is slow, and logs its operations.
//
// The files, in reading order:
//
//	disktest.go    Disk, its log, and Restart after a crash
//	file.go        the operations on files; tree.go: those on names; unnamed.go: on files without one
//	fault.go       the faults of an operation
//	crash.go       what a new process finds
//	namespace.go   which names survive; inode.go: which bytes
package disktest

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"ferry/disk"
)

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

var (
	_ disk.Disk  = (*Disk)(nil)
	_ disk.Namer = (*Disk)(nil)
)

// New returns an empty disk.
func New() *Disk { return &Disk{names: newNamespace(), boots: 1} }

// Restart returns the disk as the next process finds it, without faults. The old disk and its open
// files are independent of it.
func (d *Disk) Restart(l Loss) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := New()
	next.boots = d.boots
	next.size = d.size
	names := maps.Clone(d.names.live)
	if l.power {
		next.boots++
		names = d.names.afterCrash(l.keep)
	}
	copies := map[*node]*node{}
	next.names.live = copyNames(names, copies, l)
	if l.power {
		next.names.durable = maps.Clone(next.names.live)
	} else {
		next.names.durable = copyNames(d.names.durable, copies, l)
		for _, c := range d.names.pending {
			next.names.pending = append(next.names.pending, copyNames(c, copies, l))
		}
	}
	for _, n := range next.names.live {
		n.uses++
		if n.uses == 1 {
			next.used += int64(len(n.pages)) * PageSize
		}
	}
	next.peak = next.used
	return next
}

// Changes returns the number of changing operations, including failed ones.
func (d *Disk) Changes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
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
