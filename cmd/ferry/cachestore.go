package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"ferry/cache"
	"ferry/cmd/ferry/internal/flags"
	"ferry/disk"
	"ferry/remote"
)

// cacheDirOf is where the disk cache of a remote is below the cache directory: a name for people, and behind it what tells
// the place of its files from every other.
func cacheDirOf(cacheDir string, info remote.Info) string {
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

// A keptCache is a disk cache that is open, with the disk that it is on.
type keptCache struct {
	*cache.Store           // nil where there is none
	disk         disk.Disk // closed with it; nil = somebody may still be using it, and it ends with the process
	dir          string
}

func (k keptCache) Close() error {
	err := k.Store.Close()
	if k.disk != nil {
		err = errors.Join(err, k.disk.Close())
	}
	return err
}

// openCacheDir opens the disk cache in dir.
func openCacheDir(dir string, o cache.Options) (keptCache, error) {
	d, err := disk.Open(dir)
	if err != nil {
		return keptCache{}, fmt.Errorf("the cache directory %s: %w: choose another one with --cache-dir", dir, err)
	}
	s, err := cache.Open(d, o)
	if errors.Is(err, cache.ErrInUse) { // which names the directory
		return keptCache{}, errors.Join(fmt.Errorf("%w; stop it, or give this one another --cache-dir", err), d.Close())
	}
	if err != nil {
		return keptCache{}, errors.Join(fmt.Errorf("the cache in %s: %w", dir, err), d.Close())
	}
	return keptCache{s, d, dir}, nil
}

// openCache opens the disk cache of the remote that info describes. Without a cache mode there is none.
func (o *options) openCache(info remote.Info, log *slog.Logger) (keptCache, error) {
	if o.Cache.Mode == flags.CacheOff {
		for _, base := range o.places.all() {
			warnOfWaiting(cacheDirOf(base, info), log)
		}
		return keptCache{}, nil
	}
	dir, err := o.places.store(info, o.ReadOnly)
	if err == nil {
		err = o.places.check(dir)
	}
	if err != nil {
		return keptCache{}, fmt.Errorf("--vfs-cache-mode %v: %w", o.Cache.Mode, err)
	}
	o.places.tell(log, dir)
	return openCacheDir(dir, cache.Options{
		MaxSize:      int64(o.Cache.MaxSize),
		MinFree:      int64(o.Cache.MinFree),
		MaxAge:       flags.Unlimited(o.Cache.MaxAge),
		PartMaxAge:   flags.Unlimited(o.PartialMaxAge),
		PollInterval: flags.Unlimited(o.Cache.Poll),
		Patience:     o.DataTimeouts.Stall,
	})
}

// warnOfWaiting tells of files that an earlier ferry, with a cache mode, has taken in and not sent.
func warnOfWaiting(dir string, log *slog.Logger) {
	if _, err := os.Stat(dir); err != nil {
		return
	}
	kept, err := openCacheDir(dir, cache.Options{})
	if errors.Is(err, cache.ErrInUse) {
		return // by a ferry that sends it
	}
	if err != nil {
		log.Warn("There is a disk cache of this remote that cannot be looked into: what waits in it is not sent", "error", err)
		return
	}
	defer kept.Close()
	if n := len(kept.Pending()); n > 0 {
		log.Warn("Files wait in the disk cache of this remote and are not sent: serve it with --vfs-cache-mode writes once", "changes", n, "dir", dir)
	}
}
