package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"ferry/config"
	"ferry/registry/cached"
	"ferry/remote"
)

func cachedDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "cache",
			Help: "Another remote whose directories, and what is read of its files, are kept on the local disk",
			Options: together([]config.Option{
				{Name: "remote", Required: true, Help: "What is kept: nas:path, nas,option=value:path, /srv/ftp"},
				{Name: "chunk_size", Default: "5Mi", Help: "Pieces in which files are asked for and kept"},
				{Name: "info_age", Default: "6h", Help: "How long a directory counts as it was listed; what is changed through the remote shows at once"},
				{Name: "chunk_total_size", Default: "10Gi", Help: "How much of the files is kept; off is without a limit"},
				{Name: "chunk_path", Help: "Directory for what is kept; the default is in the cache directory of the user"},
				{Name: "db_path", Help: "The same as chunk_path, where that is not set"},
			},
				ignored("what is kept is files, which need none of it", "chunk_clean_interval", "chunk_no_memory?", "db_purge?", "db_wait_time", "workers", "rps", "read_retries"),
				ignored("what is written goes to the remote, or to the cache of --vfs-cache-mode", "writes?", "tmp_upload_path", "tmp_wait_time"),
				ignored("Plex is not asked", "plex_url", "plex_username", "plex_password", "plex_token", "plex_insecure"),
			),
		},
		open: openCached,
	}
}

// What the remotes of type cache keep in memory of the files that are being read.
const (
	cachedBuffer    = 16 << 20
	cachedMaxBuffer = 256 << 20
)

func openCached(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := cached.Options{
		ChunkSize: v.size("chunk_size"), TotalSize: v.size("chunk_total_size"), InfoAge: v.duration("info_age"),
		Buffer: cachedBuffer, MaxBuffer: cachedMaxBuffer,
	}
	if v.err != nil {
		return nil, v.err
	}
	r, err := v.open(ctx, joinRemote(v.str("remote"), path))
	if err != nil {
		return nil, err
	}
	o.Dir = cachedDir(v, r.Info())
	c, err := cached.New(r, o)
	if err != nil {
		_ = r.Close() // nothing was done with it
		return nil, fmt.Errorf("remote %s: %w; stop what uses it, or choose another directory by the option chunk_path", v.remote, err)
	}
	return c, nil
}

// cachedDir is where what is kept of a remote is: in a directory of its own, named after what tells
// its place from others.
func cachedDir(v *values, info remote.Info) string {
	dir := v.str("chunk_path")
	if dir == "" {
		dir = v.str("db_path")
	}
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			user = os.TempDir()
		}
		dir = filepath.Join(user, "ferry", "cache")
	}
	sum := sha256.Sum256([]byte(info.Identity()))
	return filepath.Join(dir, hex.EncodeToString(sum[:8]))
}
