package configcmd

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"ferry/disk"
)

// lockPause is how long another process is given before the lock is asked for again.
const lockPause = 20 * time.Millisecond

// lockFile keeps other processes of ferry from writing the configuration file at path, by a hidden
// file beside it that stays. Where there can be no such file, or no lock, nothing is kept away:
// what is written is compared with what was read all the same.
func lockFile(ctx context.Context, path string) (release func(), err error) {
	d, err := disk.Open(filepath.Dir(path))
	if err != nil {
		return func() {}, nil
	}
	defer d.Close()
	for {
		held, err := d.Lock("." + filepath.Base(path) + ".lock")
		switch {
		case err == nil:
			return func() { held.Close() }, nil
		case !errors.Is(err, disk.ErrHeld):
			return func() {}, nil
		}
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
			return nil, errors.New("another ferry keeps it locked")
		}
	}
}
