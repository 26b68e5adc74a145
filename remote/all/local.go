package all

import (
	"context"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/local"
	"ferry/remote/memory"
)

func localDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: config.LocalType,
			Help: "A directory of this machine",
			Options: []config.Option{
				{Name: "copy_links", Default: "false", Help: "Follow symbolic links that stay inside the directory"},
				{Name: "partial_max_age", Default: "24h", Help: "Time for which an unfinished upload can be continued"},
			},
		},
		open: func(_ context.Context, path string, v *values) (remote.Remote, error) {
			o := local.Options{CopyLinks: v.boolean("copy_links"), PartMaxAge: v.duration("partial_max_age")}
			if v.err != nil {
				return nil, v.err
			}
			return local.New(path, o)
		},
	}
}

func memoryDriver() Driver {
	return Driver{
		Type: config.Type{Name: "memory", Help: "The memory of the process; empty at first and lost at the end"},
		open: func(context.Context, string, *values) (remote.Remote, error) { return memory.New(), nil },
	}
}
