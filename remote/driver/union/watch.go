package union

import (
	"context"
	"iter"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/watches"
)

// Watch implements remote.Watcher. It begins when all upstreams have begun, and ends when one of
// them does. Unless all of them tell of changes it is ErrUnsupported: of a name that may be in any
// of them, some would not be told.
func (r *Remote) Watch(ctx context.Context, interval time.Duration) iter.Seq2[remote.Change, error] {
	var all []watches.Upstream
	for _, u := range r.ups {
		all = append(all, watches.Upstream{Remote: u.Remote, Name: ".", Tell: r.changes})
	}
	return watches.Merge(ctx, interval, true, all)
}

// changes returns what a change in an upstream is here. Another one may have the name, too: nothing
// is claimed of what there is. What was removed may have been the last in its directory, which then
// is gone as well where directories exist by what is in them.
func (r *Remote) changes(c remote.Change) []remote.Change {
	dir, _ := remote.Split(c.Name)
	gone := c.Removed && r.info.Caps.ImplicitDirs && dir != "."
	c.Removed, c.Version = false, ""
	if gone {
		return []remote.Change{c, {Name: dir, Dir: true, Below: true}}
	}
	return []remote.Change{c}
}
