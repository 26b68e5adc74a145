package cache

import (
	"errors"
	"io"
)

// Write appends p. If the cache is full, it waits for space. It returns fs.ErrClosed if the draft
// has ended.
func (d *Draft) Write(p []byte) (n int, err error) {
	if err := d.beginCall(); err != nil {
		return 0, d.fail(err)
	}
	for n < len(p) && err == nil {
		var m int
		m, err = d.writeChunk(p[n:min(len(p), n+int(d.s.quota.chunk()))])
		n += m
	}
	return n, d.fail(errors.Join(err, d.endCall()))
}

// writeChunk reserves and appends a p of at most one chunk.
func (d *Draft) writeChunk(p []byte) (n int, err error) {
	if err := d.reserve(int64(len(p))); err != nil {
		return 0, err
	}
	n, err = d.put(p)
	d.unreserve(int64(len(p) - n))
	if err != nil {
		return n, err
	}
	return n, d.describe()
}

// put appends a p that has been reserved. If the disk is full all the same, it waits.
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
			w.stop() // that is progress
		}
		if err := d.s.quota.evictOrWait(d.stopped, &w, int64(len(p)-n)); err != nil {
			return n, err
		}
	}
}

// ReadFrom appends everything that r yields. The disk reads from r directly, chunk by chunk; a real
// disk splices from a connection while it has enough free space.
func (d *Draft) ReadFrom(r io.Reader) (n int64, err error) {
	if err := d.beginCall(); err != nil {
		return 0, d.fail(err)
	}
	source, limited := r.(*io.LimitedReader)
	for more := true; more && err == nil; {
		slice := &io.LimitedReader{R: r, N: d.s.quota.chunk()}
		if limited { // the disk recognises a connection behind one limit, not behind two
			slice.R, slice.N = source.R, min(slice.N, source.N)
		}
		want := slice.N
		var m int64
		m, err = d.readChunk(slice)
		n += m
		if limited {
			source.N -= m
		}
		more = m == want && m > 0
	}
	return n, d.fail(errors.Join(err, d.endCall()))
}

// readChunk appends one slice.
func (d *Draft) readChunk(slice *io.LimitedReader) (int64, error) {
	want := slice.N
	if want <= 0 {
		return 0, nil
	}
	if err := d.reserve(want); err != nil {
		return 0, err
	}
	n, err := d.receive(slice)
	d.unreserve(want - n)
	if err != nil {
		return n, err
	}
	return n, d.describe()
}

// receive appends what r yields, which has been reserved. Bytes that a splice has taken from a
// connection are lost if the disk then has no space for them; so there is no splice when the disk
// is nearly full.
func (d *Draft) receive(r io.Reader) (n int64, err error) {
	if !d.s.quota.nearlyFull() {
		n, err = d.file.ReadFromAt(r, dataStart+d.size.Load())
		d.size.Add(n)
		return n, err
	}
	buf := make([]byte, minChunk)
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

// reserve reserves n bytes.
func (d *Draft) reserve(n int64) error {
	if err := d.s.quota.reserve(d.stopped, stateDraft, n); err != nil {
		return err
	}
	d.counted += n
	return nil
}

// unreserve releases what was reserved and not written.
func (d *Draft) unreserve(n int64) {
	d.s.quota.release(stateDraft, n)
	d.counted -= n
}

// describe writes the header of a draft that has become large enough, so that the next process can
// recover it as its owner's part.
func (d *Draft) describe() error {
	if d.slots.generation > 0 || d.size.Load() < describeAfter {
		return nil
	}
	if err := d.giveName(); err != nil {
		return err
	}
	h := d.header(stateDraft)
	return d.s.quota.retryOnENOSPC(d.stopped, slotSize, func() error { return d.slots.write(d.file, &h) })
}
