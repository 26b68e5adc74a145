package registry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/union"
)

func unionDriver() Driver {
	const policies = "all, epall, epff, eplfs, eplno, eplus, epmfs, eprand, ff, lfs, lno, lus, mfs, newest or rand"
	return Driver{
		Type: config.Type{
			Name: "union",
			Help: "Several remotes that lie over one another",
			Options: []config.Option{
				{Name: "upstreams", Required: true, Help: `The remotes, separated by spaces, the preferred one first: nas:path "s3:path with space:nc" old:path:ro; ` +
					`:ro is never changed, :nc takes nothing new; :writeback is refused: serve with --vfs-cache-mode full to keep what was read`},
				{Name: "action_policy", Default: "epall", Choices: union.Policies(), Help: "Where files are changed that are there: " + policies},
				{Name: "create_policy", Default: "epmfs", Choices: union.Policies(), Help: "Where something new is stored: the same"},
				{Name: "search_policy", Default: "ff", Choices: union.Policies(), Help: "Which one is seen of several files of a name: the same"},
				{Name: "cache_time", Default: "120", Help: "Seconds for which it is remembered how full a remote is"},
				{Name: "min_free_space", Default: "1Gi", Help: "What a remote must have free to be chosen by lfs and eplfs"},
			},
		},
		open: openUnion,
	}
}

// openUnion opens the tree; a path is one in every upstream.
func openUnion(ctx context.Context, path string, v *values) (r remote.Remote, err error) {
	o := union.Options{
		Action:    union.Policy(v.str("action_policy")),
		Create:    union.Policy(v.str("create_policy")),
		Search:    union.Policy(v.str("search_policy")),
		CacheTime: time.Duration(v.integer("cache_time")) * time.Second,
		MinFree:   v.size("min_free_space"),
	}
	words := v.words("upstreams")
	if v.err != nil {
		return nil, v.err
	}
	defer func() {
		for _, u := range o.Upstreams {
			if err != nil {
				_ = u.Remote.Close() // nothing was done with it
			}
		}
	}()
	for _, word := range words {
		target, u, err := unionTarget(word)
		if err == nil {
			u.Remote, err = v.open(ctx, joinRemote(target, path))
		}
		if err != nil {
			return nil, fmt.Errorf("remote %s: option upstreams: %w", v.remote, err)
		}
		o.Upstreams = append(o.Upstreams, u)
	}
	if r, err = union.New(o); err != nil {
		return nil, fmt.Errorf("remote %s: %w", v.remote, err)
	}
	return r, nil
}

// unionTarget takes what says how a remote is used off its remote string.
func unionTarget(word string) (target string, u union.Upstream, err error) {
	switch {
	case strings.HasSuffix(word, ":ro"):
		return strings.TrimSuffix(word, ":ro"), union.Upstream{ReadOnly: true}, nil
	case strings.HasSuffix(word, ":nc"):
		return strings.TrimSuffix(word, ":nc"), union.Upstream{NoCreate: true}, nil
	case strings.HasSuffix(word, ":writeback"):
		return "", u, fmt.Errorf("%q: :writeback is not supported; serve the remote with --vfs-cache-mode full to keep what was read", word)
	}
	return word, u, nil
}
