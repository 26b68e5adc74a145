package cache

import (
	"errors"
	"io"
	"io/fs"
	"syscall"
)

// How much is admitted and counted at a time.
const (
	maxStep = 1 << 20
	minStep = 64 << 10
)

// step is the write buffer by which the cache may exceed its size. A slow upload holds as much
// before it has come: so it is small where the cache is.
func (r *room) step() int64 {
	if r.maxSize == 0 {
		return maxStep
	}
	return min(max(r.maxSize/1024, minStep), maxStep)
}

// tight reports whether the disk itself is nearly full.
func (r *room) tight() bool {
	free, err := r.free()
	return err == nil && free < 64*maxStep
}

// Write appends p. Where the cache is full it waits until there is room. fs.ErrClosed means that
// the draft has ended.
func (d *Draft) Write(p []byte) (n int, err error) {
	if err := d.enter(); err != nil {
		return 0, d.fail(err)
	}
	for n < len(p) && err == nil {
		var m int
		m, err = d.writeStep(p[n:min(len(p), n+int(d.s.room.step()))])
		n += m
	}
	return n, d.fail(errors.Join(err, d.leave()))
}

// writeStep appends a p that is short enough to be admitted at once.
func (d *Draft) writeStep(p []byte) (n int, err error) {
	if err := d.take(int64(len(p))); err != nil {
		return 0, err
	}
	n, err = d.put(p)
	d.give(int64(len(p) - n))
	if err != nil {
		return n, err
	}
	return n, d.describe()
}

// put appends a p that has been admitted. When the disk is full all the same, it waits.
func (d *Draft) put(p []byte) (n int, err error) {
	var w waiter
	defer w.stop()
	for {
		m, err := d.file.WriteAt(p[n:], dataStart+d.size.Load())
		n += m
		d.size.Add(int64(m))
		if err == nil || !diskFull(err) {
			return n, err
		}
		if m > 0 {
			w.stop() // something moved
		}
		if err := d.s.room.makeRoom(d.stopped, &w, int64(len(p)-n)); err != nil {
			return n, err
		}
	}
}

func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// ReadFrom appends what r yields, up to its end. It has the disk take the bytes from r directly, in
// slices, which on a real disk splices from a connection while there is room on it.
func (d *Draft) ReadFrom(r io.Reader) (n int64, err error) {
	if err := d.enter(); err != nil {
		return 0, d.fail(err)
	}
	source, limited := r.(*io.LimitedReader)
	for more := true; more && err == nil; {
		slice := &io.LimitedReader{R: r, N: d.s.room.step()}
		if limited { // a reader of the disk below sees through one limit, not through two
			slice.R, slice.N = source.R, min(slice.N, source.N)
		}
		want := slice.N
		var m int64
		m, err = d.readStep(slice)
		n += m
		if limited {
			source.N -= m
		}
		more = m == want && m > 0
	}
	return n, d.fail(errors.Join(err, d.leave()))
}

// readStep appends one slice.
func (d *Draft) readStep(slice *io.LimitedReader) (int64, error) {
	want := slice.N
	if want <= 0 {
		return 0, nil
	}
	if err := d.take(want); err != nil {
		return 0, err
	}
	n, err := d.receive(slice)
	d.give(want - n)
	if err != nil {
		return n, err
	}
	return n, d.describe()
}

// receive appends what r yields, which has been admitted. What a splice has taken from a connection
// is gone when the disk then has no room for it; so it is not used where that is to be feared.
func (d *Draft) receive(r io.Reader) (n int64, err error) {
	if !d.s.room.tight() {
		n, err = d.file.ReadFromAt(r, dataStart+d.size.Load())
		d.size.Add(n)
		return n, err
	}
	buf := make([]byte, minStep)
	for {
		m, readErr := r.Read(buf)
		m, err := d.put(buf[:m])
		n += int64(m)
		switch {
		case err != nil:
			return n, err
		case errors.Is(readErr, io.EOF):
			return n, nil
		case readErr != nil:
			return n, readErr
		}
	}
}

// take admits n bytes.
func (d *Draft) take(n int64) error {
	if err := d.s.room.take(d.stopped, stateDraft, n); err != nil {
		return err
	}
	d.counted += n
	return nil
}

// give takes back what was admitted and not written.
func (d *Draft) give(n int64) {
	d.s.room.give(stateDraft, n)
	d.counted -= n
}

// describe writes the header of a draft that has become long enough, so that the next process finds
// whose part it is.
func (d *Draft) describe() error {
	if d.slots.generation > 0 || d.size.Load() < describeAfter {
		return nil
	}
	h := d.header(stateDraft)
	return d.s.room.whenFull(d.stopped, slotSize, func() error { return d.slots.write(d.file, &h) })
}

// fail makes the error of a call.
func (d *Draft) fail(err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: "write", Path: d.name, Err: err}
}
