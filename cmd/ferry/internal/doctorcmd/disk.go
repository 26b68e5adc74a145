package doctorcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"ferry/config"
	"ferry/disk"
)

const areaCache = "cache"

const (
	syncs      = 20               // how often a file is synced
	fewSyncs   = 20.0             // a second; fewer make small uploads slow
	littleFree = 1 << 30          // bytes
	probeBytes = 4 << 10          // of the file that is synced
	syncTime   = 10 * time.Second // no longer than this
)

// CacheDisk tries the disk of the directory of the cache, in a directory of its own there, which it
// removes. What does not exist yet is tried where it would be made.
func CacheDisk(r *Report, dir string) {
	base := dir
	for {
		info, err := os.Stat(base)
		if err == nil && info.IsDir() {
			break
		}
		if up := filepath.Dir(base); up != base && errors.Is(err, fs.ErrNotExist) {
			base = up
			continue
		}
		r.Fail(areaCache, "directory", "choose another with --cache-dir", "%s: %v", base, err)
		return
	}
	probe, err := os.MkdirTemp(base, "ferry-doctor-")
	if err != nil {
		r.Fail(areaCache, "directory", "make "+dir+" for the user that ferry runs as, or choose another with --cache-dir", "%v", err)
		return
	}
	defer os.RemoveAll(probe)
	r.OK(areaCache, "directory", "%s", dir)
	d, err := disk.Open(probe)
	if err != nil {
		r.Fail(areaCache, "disk", "choose another with --cache-dir", "%v", err)
		return
	}
	defer d.Close()
	free(r, d)
	syncRate(r, d)
	unnamed(r, d)
}

func free(r *Report, d disk.Disk) {
	n, err := d.Free()
	if err != nil {
		r.Skip(areaCache, "free", "this system does not tell")
		return
	}
	Free(r, n)
}

// Free notes how much space is left.
func Free(r *Report, n int64) {
	if n < littleFree {
		r.Warn(areaCache, "free", "make room, or give --vfs-cache-max-size and --vfs-cache-min-free-space", "%s", config.Size(n))
		return
	}
	r.OK(areaCache, "free", "%d GiB", n>>30)
}

// syncRate finds out how many files a second can be made safe.
func syncRate(r *Report, d disk.Disk) {
	begun := time.Now()
	n := 0
	for ; n < syncs && time.Since(begun) < syncTime; n++ {
		if err := syncOne(d, fmt.Sprintf("f%d", n)); err != nil {
			r.Fail(areaCache, "sync", "see what the system's log says of that disk, or choose another with --cache-dir", "%v", err)
			return
		}
	}
	SyncRate(r, float64(n)/max(time.Since(begun).Seconds(), 1e-9))
}

func syncOne(d disk.Disk, name string) error {
	f, err := d.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(make([]byte, probeBytes), 0)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return d.SyncDir(".")
}

// SyncRate notes how many files a second can be made safe.
func SyncRate(r *Report, perSecond float64) {
	if perSecond < fewSyncs {
		r.Warn(areaCache, "sync", "with --vfs-write-ack spooled a client does not wait for it, and a loss of power may cost what was acknowledged",
			"%.0f files a second", perSecond)
		return
	}
	r.OK(areaCache, "sync", "%.0f files a second", perSecond)
}

// unnamed finds out whether files can be made that have no name yet.
func unnamed(r *Report, d disk.Disk) {
	if n, can := d.(disk.Namer); can {
		if f, err := n.CreateUnnamed("."); err == nil {
			f.Close()
			r.OK(areaCache, "O_TMPFILE", "files get their names when they are whole")
			return
		}
	}
	r.Skip(areaCache, "O_TMPFILE", "not on this file system: an upload costs a rename more")
}
