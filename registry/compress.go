package registry

import (
	"context"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/compress"
)

func compressDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "compress",
			Help: "Another remote, whose files rclone has compressed; read-only: to store, let rclone serve webdav it",
			Options: together([]config.Option{
				{Name: "remote", Required: true, Help: "Where the files are: nas:path, nas,option=value:path, /srv/ftp"},
			},
				unused("files are read, in whichever way they were compressed, and none is stored", "mode", "level", "ram_cache_limit"),
			),
		},
		open: func(ctx context.Context, path string, v *values) (remote.Remote, error) {
			below, err := v.open(ctx, joinRemote(v.str("remote"), path))
			if err != nil {
				return nil, err
			}
			return compress.New(below), nil
		},
	}
}

func hasherDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "hasher",
			Help: "Another remote; the checksums that rclone keeps of its files on the local disk are not needed here",
			Options: together([]config.Option{
				{Name: "remote", Required: true, Help: "Where the files are: nas:path, nas,option=value:path, /srv/ftp"},
			},
				unused("a checksum that the storage does not tell is made of the file when a client asks for it", "hashes", "auto_size", "max_age"),
			),
		},
		open: func(ctx context.Context, path string, v *values) (remote.Remote, error) {
			return v.open(ctx, joinRemote(v.str("remote"), path))
		},
	}
}
