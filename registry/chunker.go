package registry

import (
	"context"
	"fmt"
	"slices"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/chunker"
)

func chunkerDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "chunker",
			Help: "Another remote, whose large files are kept in several smaller ones",
			Options: together([]config.Option{
				{Name: "remote", Required: true, Help: "Where the files are: nas:path, nas,option=value:path, /srv/ftp"},
				{Name: "chunk_size", Default: "2Gi", Help: "Files larger than this are in several; on object stores one of more than 64 KiB whose length is not known before, as without a cache, is one chunk with a record even below"},
				{Name: "name_format", Default: "*.rclone_chunk.###", Help: "How those are called: * is the name, # a digit of the number"},
				{Name: "start_from", Default: "1", Help: "Number of the first one"},
				{Name: "meta_format", Default: "simplejson", Help: "simplejson: a small file says what belongs together; none: there is none, and nothing can be stored"},
				{Name: "hash_type", Default: "md5", Help: "Checksum of a file in several: md5, sha1, none; with md5all and sha1all every other file has a record for it, too; md5quick is md5, sha1quick is sha1"},
				{Name: "transactions", Default: "rename", Help: "rename: several are renamed to plain names after they were stored; norename: they keep a mark, which " +
					"saves requests; auto: norename on object stores"},
				{Name: "fail_hard", Default: "false", Help: "A listing fails where one cannot be read, rather than omit it"},
			}),
		},
		open: openChunker,
	}
}

func openChunker(ctx context.Context, path string, v *values) (remote.Remote, error) {
	start := v.integer("start_from")
	o := chunker.Options{
		ChunkSize: v.size("chunk_size"), NameFormat: v.str("name_format"), StartFrom: &start, HashType: v.str("hash_type"),
		FailHard: v.boolean("fail_hard"),
	}
	switch format := v.str("meta_format"); format {
	case "", "simplejson":
	case "none":
		o.NoRecords = true
	default:
		return nil, fmt.Errorf("remote %s: option meta_format is simplejson or none, not %q", v.remote, format)
	}
	transactions := v.str("transactions")
	switch {
	case v.err != nil:
		return nil, v.err
	case !slices.Contains([]string{"", "rename", "norename", "auto"}, transactions):
		return nil, fmt.Errorf("remote %s: option transactions is rename, norename or auto, not %q", v.remote, transactions)
	}
	below, err := v.open(ctx, joinRemote(v.str("remote"), path))
	if err != nil {
		return nil, err
	}
	o.Marked = transactions == "norename" || transactions == "auto" && below.Info().Caps.ImplicitDirs
	r, err := chunker.New(below, o)
	if err != nil {
		_ = below.Close() // nothing was done with it
		return nil, fmt.Errorf("remote %s: %w", v.remote, err)
	}
	return r, nil
}
