//go:build linux || darwin || freebsd

package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// freeBytes returns how many bytes the process may still write on the file system of dir.
func freeBytes(dir *os.File) (int64, error) {
	conn, err := dir.SyscallConn()
	if err != nil {
		return 0, err
	}
	var st unix.Statfs_t
	ctlErr := conn.Control(func(fd uintptr) { err = unix.Fstatfs(int(fd), &st) })
	if ctlErr != nil {
		return 0, ctlErr
	}
	if err != nil {
		return 0, err
	}
	return max(int64(st.Bavail), 0) * int64(st.Bsize), nil
}
