package places

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"ferry/cache"
	"ferry/disk"
	"ferry/remote"
)

// CacheDir is where the disk cache of a remote is below the cache directory: a name for people, and
// behind it what tells the place of its files from every other.
func CacheDir(cacheDir string, info remote.Info) string {
	sum := sha256.Sum256([]byte(info.Identity()))
	return filepath.Join(cacheDir, cachesName, readable(info.Name)+"-"+hex.EncodeToString(sum[:8]))
}

// cachesName is the directory of all disk caches.
const cachesName = "vfs"

// readable makes a name for people the name of a directory on any system.
func readable(name string) string {
	const most = 60
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '@':
			return r
		}
		return '_'
	}, name)
	name = strings.Trim(name, "._")
	return name[max(0, len(name)-most):]
}

// A Cache is a disk cache that is open, with the disk that it is on.
type Cache struct {
	*cache.Store           // nil where there is none
	disk         disk.Disk // closed with it, unless it is nil
	Dir          string
}

// Close closes the store and the disk.
func (k Cache) Close() error {
	err := k.Store.Close()
	if k.disk != nil {
		err = errors.Join(err, k.disk.Close())
	}
	return err
}

// DiskFree returns how many bytes may still be written to its disk, or errors.ErrUnsupported.
func (k Cache) DiskFree() (int64, error) {
	if k.disk == nil {
		return 0, errors.ErrUnsupported
	}
	return k.disk.Free()
}

// CloseAfter closes the cache. Where somebody may still be using it, the disk stays open and ends
// with the process.
func (k Cache) CloseAfter(inUse bool) {
	if inUse {
		k.disk = nil
	}
	k.Close()
}

// OpenCache opens the disk cache in dir.
func OpenCache(dir string, o cache.Options) (Cache, error) {
	d, err := disk.Open(dir)
	if err != nil {
		return Cache{}, fmt.Errorf("the cache directory %s: %w: choose another one with --cache-dir", dir, err)
	}
	s, err := cache.Open(d, o)
	if errors.Is(err, cache.ErrInUse) { // which names the directory
		return Cache{}, errors.Join(fmt.Errorf("%w; stop it, or give this one another --cache-dir", err), d.Close())
	}
	if err != nil {
		return Cache{}, errors.Join(fmt.Errorf("the cache in %s: %w", dir, err), d.Close())
	}
	return Cache{s, d, dir}, nil
}

// WarnOfWaiting tells of files that an earlier ferry, with a cache mode, has taken in and not sent.
func WarnOfWaiting(dir string, log *slog.Logger) {
	if _, err := os.Stat(dir); err != nil {
		return
	}
	kept, err := OpenCache(dir, cache.Options{})
	if errors.Is(err, cache.ErrInUse) {
		return // by a ferry that sends it
	}
	if err != nil {
		log.Warn("there is a disk cache of this remote that cannot be looked into: what waits in it is not sent", "error", err)
		return
	}
	defer kept.Close()
	if n := len(kept.Pending()); n > 0 {
		log.Warn("files wait in the disk cache of this remote and are not sent: serve it with --vfs-cache-mode writes once", "changes", n, "dir", dir)
	}
}

// Export writes a file that the remote refused to a new file of this machine.
func (k Cache) Export(id, to string) (err error) {
	content, err := k.OpenLost(id)
	if err != nil {
		return err
	}
	defer content.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content.Section())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

// EachCache calls do with each cache of a place, and with the error of one that is in use.
func EachCache(base string, do func(dir string, s Cache, err error) error) error {
	parent := filepath.Join(base, cachesName)
	entries, err := os.ReadDir(parent)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		s, err := OpenCache(filepath.Join(parent, e.Name()), cache.Options{})
		if err != nil && !errors.Is(err, cache.ErrInUse) {
			return err
		}
		doErr := do(e.Name(), s, err)
		if err == nil {
			doErr = errors.Join(doErr, s.Close())
		}
		if doErr != nil {
			return doErr
		}
	}
	return nil
}
