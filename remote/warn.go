package remote

import (
	"context"
	"log/slog"
)

// Drivers have no log of their own: what somebody has to see though no call fails for it is told to
// that of the context.

// warnKey is that of a log in the values of a context.
type warnKey struct{}

// WithLog returns a context under which calls of a remote tell log what somebody should look at.
func WithLog(ctx context.Context, log *slog.Logger) context.Context {
	return context.WithValue(ctx, warnKey{}, log)
}

// Warn tells the log of ctx, if there is one, what somebody should look at. Drivers call it, once
// for each thing.
func Warn(ctx context.Context, message string, args ...any) {
	if log, ok := ctx.Value(warnKey{}).(*slog.Logger); ok {
		log.WarnContext(ctx, message, args...)
	}
}
