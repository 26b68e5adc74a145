//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner sets the owner and group of the old file on temp, if permitted, and reports whether the
// group is the same: when root edits a user's file, the user must keep it.
func keepOwner(temp *os.File, old fs.FileInfo) bool {
	s, ok := old.Sys().(*syscall.Stat_t)
	return ok && (temp.Chown(int(s.Uid), int(s.Gid)) == nil || temp.Chown(-1, int(s.Gid)) == nil)
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
