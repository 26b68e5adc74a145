package remotetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"ferry/remote"
)

// Names returns what a listing of dir shows, sorted, with spaces between. That nothing is left out
// is part of the test.
func Names(t *testing.T, r remote.Remote, dir string) string {
	t.Helper()
	names, omitted, err := ListOmitting(t.Context(), r, dir)
	if err != nil || len(omitted) > 0 {
		t.Errorf("%s: left out is %q, %v", dir, omitted, err)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

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
