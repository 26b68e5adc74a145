//go:build linux || darwin || freebsd

package local

import "golang.org/x/sys/unix"

// usage counts in bytes; free is what the process may still use.
func (t *rootTree) usage() (total, free int64, err error) {
	f, err := t.root.Open(".")
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, 0, err
	}
	var st unix.Statfs_t
	ctlErr := conn.Control(func(fd uintptr) { err = unix.Fstatfs(int(fd), &st) })
	if ctlErr != nil {
		return 0, 0, ctlErr
	}
	if err != nil {
		return 0, 0, err
	}
	block := int64(st.Bsize)
	return int64(st.Blocks) * block, max(int64(st.Bavail), 0) * block, nil
}
