package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"ferry/cache"
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
	*cache.Store
	disk disk.Disk
}

func (k keptCache) Close() error { return errors.Join(k.Store.Close(), k.disk.Close()) }

// openCacheDir opens the disk cache in dir.
func openCacheDir(dir string, o cache.Options) (keptCache, error) {
	d, err := disk.Open(dir)
	if err != nil {
		return keptCache{}, fmt.Errorf("the cache directory %s: %w: choose another one with --cache-dir", dir, err)
	}
	s, err := cache.Open(d, o)
	if err != nil {
		return keptCache{}, errors.Join(fmt.Errorf("the cache in %s: %w", dir, err), d.Close())
	}
	return keptCache{s, d}, nil
}
