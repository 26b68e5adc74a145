package auth

import (
	"context"
	"sync/atomic"
)

type recallKey struct{}

// WithRecall returns a context for a login, and what tells after it whether the answer was
// remembered, so that nothing was computed and nobody was asked.
func WithRecall(ctx context.Context) (with context.Context, remembered func() bool) {
	told := new(atomic.Bool)
	return context.WithValue(ctx, recallKey{}, told), told.Load
}

// recalled notes that the answer was remembered.
func recalled(ctx context.Context) {
	if told, is := ctx.Value(recallKey{}).(*atomic.Bool); is {
		told.Store(true)
	}
}
