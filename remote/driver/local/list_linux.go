package local

import (
	"context"

	"golang.org/x/sys/unix"
)

const (
	dirBuffer  = 64 << 10 // bytes that getdents64 fills at a time
	firstBatch = 256      // entries that are described before they are handed on
)

// list reads the directory in large pieces and describes its entries relative to it. Of a directory
// that does not fit the first piece, the following entries are described by other goroutines while
// the caller uses those before.
func (d *fdDir) list(ctx context.Context, yield func(*meta) bool) error {
	fd, err := d.openat(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	buf, _ := d.t.access.buffers.Get().(*[dirBuffer]byte)
	if buf == nil {
		buf = new([dirBuffer]byte)
	}
	defer d.t.access.buffers.Put(buf)
	rd := &dirReader{d: d, fd: fd, buf: buf[:]}
	batch := make([]meta, 0, 16)
	for {
		batch, err = rd.next(ctx, batch[:0])
		if err != nil || len(batch) == 0 {
			return err
		}
		for i := range batch {
			if !yield(&batch[i]) {
				return nil
			}
		}
		if rd.pieces > 1 {
			return rd.listAhead(ctx, yield)
		}
	}
}
