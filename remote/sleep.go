package remote

import (
	"context"
	"time"
)

// Sleep returns after d, or when ctx ends. Its error is the cause of ctx, whenever that has ended.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}
