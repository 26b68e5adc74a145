package disktest

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
)

// ErrStopped is returned by every operation from the one set by StopAt on.
var ErrStopped = errors.New("the disk has stopped")

// StopAt makes the n-th changing operation from now on fail with ErrStopped, and every operation
// after it, as if the process had died. If that operation is a write, its first torn pages are
// written.
func (d *Disk) StopAt(n, torn int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopAt, d.torn = d.changes+n, torn
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
