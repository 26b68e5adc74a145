package combine

import (
	"context"
	"iter"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/watches"
)

// Watch implements remote.Watcher. It begins when all upstreams have begun that tell of changes,
// and ends when one of them does; what changes in the others is not told. Where none tells anything
// it is ErrUnsupported.
func (r *Remote) Watch(ctx context.Context, interval time.Duration) iter.Seq2[remote.Change, error] {
	var all []watches.Upstream
	for i := range r.upstreams {
		u := &r.upstreams[i]
		all = append(all, watches.Upstream{Remote: u.Remote, Name: u.Dir, Tell: u.change})
	}
	return watches.Merge(ctx, interval, false, all)
}

// change returns what a change in u is in the tree.
func (u *Upstream) change(c remote.Change) []remote.Change {
	if c.Name == "." {
		c.Name = u.Dir
	} else {
		c.Name = remote.Join(u.Dir, c.Name)
	}
	return []remote.Change{c}
}
