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

// step is the write buffer by which the cache may exceed its size.
func (r *room) step() int64 {
	if r.maxSize == 0 {
		return maxStep
	}
	return min(max(r.maxSize/128, minStep), maxStep)
}

// Write appends p. Where the cache is full it waits until there is room. fs.ErrClosed means that the draft has ended.
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
	var w waiter
	defer w.stop()
	for {
		var m int
		m, err = d.file.WriteAt(p[n:], dataStart+d.size.Load())
		n += m
		d.size.Add(int64(m))
		if err == nil || !diskFull(err) {
			break
		}
		if m > 0 {
			w.stop() // something moved
		}
		if err = d.s.room.makeRoom(d.stopped, &w, int64(len(p)-n)); err != nil {
			break
		}
	}
	d.give(int64(len(p) - n))
	if err != nil {
		return n, err
	}
	return n, d.describe()
}

func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// ReadFrom appends what r yields, up to its end. It has the disk take the bytes from r directly, in slices, which on a
// real disk splices from a connection.
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
	n, err := d.file.ReadFromAt(slice, dataStart+d.size.Load())
	d.size.Add(n)
	d.give(want - n)
	if err != nil {
		return n, err
	}
	return n, d.describe()
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

// describe writes the header of a draft that has become long enough, so that the next process finds whose part it is.
func (d *Draft) describe() error {
	if d.slots.generation > 0 || d.size.Load() < describeAfter {
		return nil
	}
	h := d.header(stateDraft)
	return d.slots.write(d.file, &h)
}

// fail makes the error of a call.
func (d *Draft) fail(err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: "write", Path: d.name, Err: err}
}
