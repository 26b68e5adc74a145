package registry

import (
	"context"
	"fmt"
	"strings"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/combine"
)

func aliasDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "alias",
			Help: "Another name for a remote or a directory of one",
			Options: []config.Option{
				{Name: "remote", Required: true, Help: "What it is another name for: nas:path, nas,option=value:path, /srv/ftp"},
			},
		},
		open: func(ctx context.Context, path string, v *values) (remote.Remote, error) {
			return v.open(ctx, joinRemote(v.str("remote"), path))
		},
	}
}

// joinRemote puts path behind a remote string.
func joinRemote(target, path string) string {
	path = strings.Trim(path, "/")
	if path == "" || strings.HasSuffix(target, ":") || strings.HasSuffix(target, "/") {
		return target + path
	}
	return target + "/" + path
}

func combineDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "combine",
			Help: "Several remotes as the directories of one tree",
			Options: []config.Option{
				{Name: "upstreams", Required: true, Help: `The directories and what is in them, separated by spaces: ` +
					`dir=nas:path "dir2=s3:path with space"`},
			},
		},
		open: openCombine,
	}
}

// openCombine opens the tree; a path leads into one of the upstreams, which is opened alone then.
func openCombine(ctx context.Context, path string, v *values) (remote.Remote, error) {
	targets, err := combineTargets(v)
	if err != nil {
		return nil, err
	}
	if path = strings.Trim(path, "/"); path == "" {
		return openTree(ctx, targets, v)
	}
	first, rest, _ := strings.Cut(path, "/")
	var dirs []string
	for _, t := range targets {
		if t.dir == first {
			return v.open(ctx, joinRemote(t.remote, rest))
		}
		dirs = append(dirs, t.dir)
	}
	return nil, fmt.Errorf("remote %s: there is no directory %q: there are %s", v.remote, first, strings.Join(dirs, ", "))
}

// A combineTarget is a directory and the remote string of what is in it.
type combineTarget struct{ dir, remote string }

func combineTargets(v *values) ([]combineTarget, error) {
	var targets []combineTarget
	for _, word := range v.words("upstreams") {
		dir, target, ok := strings.Cut(word, "=")
		if !ok || dir == "" || target == "" {
			return nil, fmt.Errorf("remote %s: option upstreams: each must be dir=remote:path", v.remote)
		}
		targets = append(targets, combineTarget{dir, target})
	}
	return targets, v.err
}

func openTree(ctx context.Context, targets []combineTarget, v *values) (r remote.Remote, err error) {
	var upstreams []combine.Upstream
	defer func() {
		for _, u := range upstreams {
			if err != nil {
				_ = u.Remote.Close() // nothing was done with it
			}
		}
	}()
	for _, t := range targets {
		one, err := v.open(ctx, t.remote)
		if err != nil {
			return nil, err
		}
		upstreams = append(upstreams, combine.Upstream{Dir: t.dir, Remote: one})
	}
	if r, err = combine.New(upstreams); err != nil {
		return nil, fmt.Errorf("remote %s: %w", v.remote, err)
	}
	return r, nil
}
