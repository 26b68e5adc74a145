package local

import (
	"bytes"
	"context"
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"ferry/remote"
)

const (
	dirBuffer = 64 << 10 // bytes that getdents64 fills at a time
	batchSize = 256      // entries that are described before they are handed on
)

// list reads the directory in large pieces and describes its entries relative to it. Of a directory
// that does not fit the first piece, the following entries are described by a second goroutine
// while the caller uses those before.
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
			return rd.listAhead(ctx, batch, yield)
		}
	}
}

// listAhead is the rest of list.
func (rd *dirReader) listAhead(ctx context.Context, spare []meta, yield func(*meta) bool) error {
	ctx, stop := context.WithCancel(ctx)
	var err error
	full, empty := make(chan []meta, 2), make(chan []meta, 2)
	empty <- spare
	empty <- nil
	go func() {
		defer close(full)
		for batch := range empty {
			batch, err = rd.next(ctx, batch[:0])
			if err != nil || len(batch) == 0 {
				return
			}
			full <- batch
		}
	}()
	defer func() { // until the goroutine is done with the descriptor and the buffer
		stop()
		close(empty)
		for range full {
		}
	}()
	for batch := range full {
		for i := range batch {
			if !yield(&batch[i]) {
				return nil
			}
		}
		empty <- batch
	}
	return err
}

// A dirReader reads and describes the entries of a directory.
type dirReader struct {
	d      *fdDir
	fd     int
	buf    []byte
	unread []byte // of buf
	pieces int    // how often buf was filled with something
	end    bool
	st     unix.Statx_t
}

// next appends descriptions to batch, batchSize of them, fewer at the end of the directory and none
// behind it.
func (rd *dirReader) next(ctx context.Context, batch []meta) ([]meta, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for len(batch) < batchSize {
		name, typ, err := rd.entry()
		if err != nil || name == nil {
			return batch, err
		}
		if m, ok, err := rd.describe(name, typ); err != nil {
			return nil, err
		} else if ok {
			batch = append(batch, m)
		}
	}
	return batch, nil
}

// entry returns the next name, with the NUL behind it, and its type. The name is nil at the end.
func (rd *dirReader) entry() (name []byte, typ byte, err error) {
	const (
		lengthAt = 16 // of struct linux_dirent64 (getdents(2)): d_ino, d_off, d_reclen, d_type, d_name
		typeAt   = 18
		nameAt   = 19
	)
	for {
		if len(rd.unread) == 0 {
			if err := rd.fill(); err != nil || len(rd.unread) == 0 {
				return nil, 0, err
			}
		}
		length := binary.NativeEndian.Uint16(rd.unread[lengthAt:])
		record := rd.unread[:length]
		rd.unread = rd.unread[length:]
		name = record[nameAt : nameAt+bytes.IndexByte(record[nameAt:], 0)+1]
		if !dots(name) {
			return name, record[typeAt], nil
		}
	}
}

// dots reports whether name, with the NUL behind it, is "." or "..".
func dots(name []byte) bool {
	return name[0] == '.' && (len(name) == 2 || len(name) == 3 && name[1] == '.')
}

func (rd *dirReader) fill() error {
	if rd.end {
		return nil
	}
	var n int
	err := retry(func() (err error) {
		n, err = unix.Getdents(rd.fd, rd.buf)
		return err
	})
	if err == unix.ENOENT { // the directory was removed
		n, err = 0, nil
	}
	if err != nil {
		return err
	}
	rd.unread = rd.buf[:n]
	if rd.end = n == 0; !rd.end {
		rd.pieces++
	}
	return nil
}

// describe makes the system calls that an entry needs; one that is gone or not shown is not ok.
func (rd *dirReader) describe(name []byte, typ byte) (m meta, ok bool, err error) {
	links := rd.d.t.access.links
	switch typ {
	case unix.DT_LNK:
		if !links {
			return m, false, nil
		}
	case unix.DT_FIFO, unix.DT_SOCK, unix.DT_CHR, unix.DT_BLK:
		return m, false, nil
	}
	err = retry(func() error { return statxAt(rd.fd, name, &rd.st) })
	if err == unix.ENOENT || deadMount(err) || err == unix.EACCES && rd.searchable() {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	base := string(name[:len(name)-1])
	m = metaOfStatx(base, &rd.st)
	if m.kind == link {
		if !links {
			return m, false, nil
		}
		if m, err = rd.d.t.stat(remote.Join(rd.d.path, base)); err != nil {
			return m, false, nil
		}
		m.name = base
	}
	return m, m.kind != special, nil
}

// searchable reports whether the directory lets the process describe what it holds. When it does
// and an entry is still forbidden, that is the mount point of a file system that is private to a
// user.
func (rd *dirReader) searchable() bool {
	return retry(func() error { return unix.Faccessat(rd.fd, ".", unix.X_OK, unix.AT_EACCESS) }) == nil
}

// statxAt is unix.Statx for a name that lies in memory as the kernel wants it, ended by NUL: it
// need not be copied.
func statxAt(fd int, name []byte, st *unix.Statx_t) error {
	_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(name))),
		unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS, uintptr(unsafe.Pointer(st)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
