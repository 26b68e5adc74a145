package local

import (
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

func statPlace(fd int, path string, flags int) (place, error) {
	var st unix.Statx_t
	err := retry(func() error { return unix.Statx(fd, path, flags, unix.STATX_INO|unix.STATX_MNT_ID, &st) })
	if err != nil {
		return place{}, err
	}
	at := place{dev: unix.Mkdev(st.Dev_major, st.Dev_minor), ino: st.Ino}
	if st.Mask&unix.STATX_MNT_ID != 0 {
		at.mount = st.Mnt_id
	}
	return at, nil
}

// statFd describes what fd is open on.
func statFd(fd int) (meta, error) {
	var st unix.Statx_t
	err := retry(func() error { return unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS, &st) })
	if err != nil {
		return meta{}, err
	}
	return metaOfStatx("", &st), nil
}

func metaOfStatx(name string, st *unix.Statx_t) meta {
	m := meta{
		name:    name,
		kind:    special,
		perm:    fs.FileMode(st.Mode & 0o777),
		size:    int64(st.Size),
		modTime: time.Unix(st.Mtime.Sec, int64(st.Mtime.Nsec)),
		changed: st.Ctime.Sec*1e9 + int64(st.Ctime.Nsec),
		ino:     st.Ino,
		dev:     unix.Mkdev(st.Dev_major, st.Dev_minor),
		links:   uint64(st.Nlink),
		uid:     st.Uid,
		gid:     st.Gid,
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		m.kind = regular
	case unix.S_IFDIR:
		m.kind = directory
	case unix.S_IFLNK:
		m.kind = link
	}
	return m
}

// retry repeats call while a signal interrupts it.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
