package local

import (
	"context"

	"ferry/remote"
)

// Usage implements remote.Usager: that of the file system that holds the root.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	if err := check(ctx, "usage", "."); err != nil {
		return remote.Usage{}, err
	}
	total, free, err := r.tree.usage()
	if err != nil {
		return remote.Usage{}, fail("usage", ".", err)
	}
	return remote.Usage{Total: total, Used: -1, Free: free}, nil
}
