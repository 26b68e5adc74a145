package local

import (
	"bytes"
	"context"
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"ferry/remote"
)

// A dirReader reads and describes the entries of a directory.
type dirReader struct {
	d      *fdDir
	fd     int
	buf    []byte
	unread []byte // of buf
	pieces int    // how often buf was filled with something
	end    bool
}

// next appends descriptions to batch, firstBatch of them, fewer at the end of the directory and
// none behind it.
func (rd *dirReader) next(ctx context.Context, batch []meta) ([]meta, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var st unix.Statx_t
	for len(batch) < firstBatch {
		name, typ, err := rd.entry()
		if err != nil || name == nil {
			return batch, err
		}
		if m, ok, err := rd.describe(dirName{string(name), typ}, &st); err != nil {
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

// A dirName is an entry of a directory that is not described yet.
type dirName struct {
	ended string // the name, with the NUL behind it
	typ   byte   // DT_REG ...
}

// describe makes the system calls that an entry needs; one that is gone or not shown is not ok. It
// may be called concurrently.
func (rd *dirReader) describe(name dirName, st *unix.Statx_t) (m meta, ok bool, err error) {
	links := rd.d.t.access.links
	switch name.typ {
	case unix.DT_LNK:
		if !links {
			return m, false, nil
		}
	case unix.DT_FIFO, unix.DT_SOCK, unix.DT_CHR, unix.DT_BLK:
		return m, false, nil
	}
	err = retry(func() error { return statxAt(rd.fd, name.ended, st) })
	if err == unix.ENOENT || deadMount(err) || err == unix.EACCES && rd.searchable() {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	base := name.ended[:len(name.ended)-1]
	m = metaOfStatx(base, st)
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
func statxAt(fd int, name string, st *unix.Statx_t) error {
	_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(fd), uintptr(unsafe.Pointer(unsafe.StringData(name))),
		unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS, uintptr(unsafe.Pointer(st)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
