package cache

import (
	"errors"
	"io/fs"
)

// Stream makes the draft a stream: Release frees bytes while later ones are still being written, so
// that it is never there as a whole. From then on the draft cannot be kept or committed, only
// aborted. It is called by the writing goroutine.
func (d *Draft) Stream() error {
	if err := d.beginCall(); err != nil {
		return d.fail(err)
	}
	d.streamed.Store(true)
	var err error
	if d.slots.generation > 0 { // the next process must not recover it as a part
		h := d.header(stateDraft)
		err = d.slots.write(d.file, &h)
	}
	return d.fail(errors.Join(err, d.endCall()))
}

// Release frees the first off bytes of a streamed draft: they have been read and are not needed any
// more. It may be called by one goroutine while another one writes. If the disk cannot punch holes,
// nothing is freed.
func (d *Draft) Release(off int64) error {
	const block = 4096 // of any file system; a partial block stays
	if !d.streamed.Load() {
		return d.fail(fs.ErrInvalid)
	}
	from := d.released.Load()
	n := (min(off, d.size.Load()) &^ (block - 1)) - from
	if n <= 0 {
		return nil
	}
	err := d.file.PunchHole(dataStart+from, n)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return d.fail(err)
	}
	d.released.Store(from + n)
	d.s.quota.release(stateDraft, n)
	return nil
}
