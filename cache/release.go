package cache

import (
	"errors"
	"io/fs"
)

// Stream says that what is written will be read by Release as it comes, and need not be there as a
// whole at any time. From then on the draft cannot be kept or committed, only discarded. It is a
// call of the writing goroutine.
func (d *Draft) Stream() error {
	if err := d.enter(); err != nil {
		return d.fail(err)
	}
	d.streamed.Store(true)
	var err error
	if d.slots.generation > 0 { // the next process must not take it for a part
		h := d.header(stateDraft)
		err = d.slots.write(d.file, &h)
	}
	return d.fail(errors.Join(err, d.leave()))
}

// Release gives the room of the first off bytes of a streamed draft back: they have been read, and
// nobody will read them again. It may be called while more is being written, by one goroutine.
// Where the disk cannot free a part of a file nothing is given back.
func (d *Draft) Release(off int64) error {
	const block = 4096 // of any file system; a part of one stays
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
	d.s.room.give(stateDraft, n)
	return nil
}
