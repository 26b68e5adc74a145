//go:build unix

package places

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkOwner refuses what belongs neither to the user of this process nor to root.
func checkOwner(name string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == os.Geteuid() || stat.Uid == 0 {
		return nil
	}
	return fmt.Errorf("%s belongs to user %d, and ferry runs as %d: see who has put it there, then chown it, "+
		"or choose another directory with --cache-dir", name, stat.Uid, os.Geteuid())
}
