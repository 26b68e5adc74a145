//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives temp the owner and group of the old file, as far as this process may, and reports
// whether the group is the same: root editing a user's file must not take it away from him.
func keepOwner(temp *os.File, old fs.FileInfo) bool {
	s, ok := old.Sys().(*syscall.Stat_t)
	return ok && (temp.Chown(int(s.Uid), int(s.Gid)) == nil || temp.Chown(-1, int(s.Gid)) == nil)
}

// syncDir makes a rename in dir survive a power failure.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
