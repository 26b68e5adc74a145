package registry

import (
	"context"
	"fmt"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
)

func localDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: config.LocalType,
			Help: "A directory of this machine",
			Options: together([]config.Option{
				{Name: "copy_links", Default: "false", NoPrefix: true, Help: "Follow symbolic links that stay inside the directory"},
				{Name: "sync", Default: "false", Help: "Have files and directories on the disk before they are acknowledged, so that they survive a loss of power"},
				{Name: "require_mount", Switch: true, NoPrefix: true, Help: "Serve the directory only while a file system is mounted there; " +
					"false forgets that one was"},
				{Name: "min_free_space", Default: "off", NoPrefix: true, Help: "Space that uploads leave free on the file system"},
				{Name: "partial_max_age", Default: "24h", Help: "Time for which an unfinished upload can be continued"},
			},
				unused("bytes are what they are, and nothing is prepared", "hashes", "no_check_updated?", "no_preallocate?", "no_sparse?", "no_clone?", "fatal_if_no_space?", "nounc?", "metadata_restore_special_bits?"),
				unused("links and devices are never served, and nothing is said of them", "zero_size_links?"),
				noPrefix(unused("links and devices are never served, and nothing is said of them", "skip_links?", "skip_specials?")),
				noPrefix(ignored("what is mounted in the directory is served with it", "one_file_system?")),
				ignored("symbolic links are not shown as such; copy_links follows those that stay inside", "links?"),
				ignored(noNames+"; --vfs-case-insensitive finds them in another case", "case_sensitive?", "case_insensitive?"),
				ignored(noNames, "encoding", "unicode_normalization?"),
				ignored("the flag --no-modtime does it", "no_set_modtime?"),
				ignored("the time that is shown is that of the last change of the content", "time_type"),
			),
		},
		open: openLocal,
	}
}

func openLocal(ctx context.Context, path string, v *values) (remote.Remote, error) {
	o := local.Options{
		CopyLinks:    v.boolean("copy_links"),
		PartMaxAge:   v.duration("partial_max_age"),
		Sync:         v.boolean("sync"),
		RequireMount: v.boolean("require_mount"),
		MinFree:      max(v.size("min_free_space"), 0),
		MountRecords: v.env.Mounts,
	}
	if v.err != nil {
		return nil, v.err
	}
	if v.str("require_mount") != "" && !o.RequireMount {
		if err := forgetMount(ctx, path, v.env.Mounts); err != nil {
			return nil, err
		}
		o.MountRecords = ""
	}
	r, err := local.New(path, o)
	if err != nil {
		return nil, err
	}
	warnOfMounts(ctx, path, r)
	return r, nil
}

// forgetMount is for one who says that no file system need be mounted at path.
func forgetMount(ctx context.Context, path, records string) error {
	point, err := local.ForgetMount(records, path)
	if err != nil {
		return fmt.Errorf("that the directory was on a mounted file system cannot be forgotten: %w", err)
	}
	if point != "" {
		remote.Warn(ctx, "that the directory was on a mounted file system is forgotten: what is there now is served, whatever is "+
			"mounted", "path", path, "mount", point)
	}
	return nil
}

// warnOfMounts tells what cannot be seen from a directory: that it should be another one.
func warnOfMounts(ctx context.Context, path string, r *local.Remote) {
	if point, file := r.MissingRecorded(); point != "" {
		remote.Warn(ctx, "nothing is mounted where the directory was on a mounted file system: every command that needs it is "+
			"451 until something is. If it is to be a plain directory from now on, remove the file, or start with "+
			"--require-mount=false", "path", path, "mount", point, "file", file)
	}
	if point := r.MissingMount(ctx); point != "" {
		remote.Warn(ctx, "the directory is empty, and what /etc/fstab names is not mounted there: what is stored now will be hidden "+
			"by the mount; --require-mount waits for it", "path", path, "mount", point)
	}
	if err := r.MountUnrecorded(); err != nil {
		remote.Warn(ctx, "it cannot be remembered that the directory is on a mounted file system: a start without it will serve "+
			"what lies beneath; --require-mount does not", "path", path, "error", err)
	}
}

func memoryDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "memory", Help: "The memory of the process; empty at first and lost at the end",
			Options: ignored("what is stored is kept until the end", "discard?"),
		},
		open: func(_ context.Context, path string, v *values) (remote.Remote, error) {
			if path != "" {
				return nil, fmt.Errorf("remote %s is empty at first and has no path %q: leave it out", v.remote, path)
			}
			return memory.New(), nil
		},
	}
}
