package remotetest

import (
	"context"
	"sync"

	"ferry/remote"
)

// ListOmitting lists dir of r: the names that are shown, "ENTRY: REASON" for each that is reported
// as left out, and the last error.
func ListOmitting(ctx context.Context, r remote.Remote, dir string) (names, omitted []string, err error) {
	var mu sync.Mutex
	ctx = remote.WithOmitted(ctx, func(entry, reason string) {
		mu.Lock()
		defer mu.Unlock()
		omitted = append(omitted, entry+": "+reason)
	})
	for e, bad := range r.List(ctx, dir) {
		if err = bad; bad == nil {
			names = append(names, e.Name)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	return names, omitted, err
}
