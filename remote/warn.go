package remote

import (
	"context"
	"log/slog"
)

// Drivers have no log of their own: a problem that does not fail a call is written to the log of
// the context.

// warnKey is the context key of a log.
type warnKey struct{}

// WithLog returns a context under which calls of a remote write their warnings to log.
func WithLog(ctx context.Context, log *slog.Logger) context.Context {
	return context.WithValue(ctx, warnKey{}, log)
}

// Warn writes a warning to the log of ctx, if there is one. Drivers call it, once for each problem.
func Warn(ctx context.Context, message string, args ...any) {
	if log, ok := ctx.Value(warnKey{}).(*slog.Logger); ok {
		log.WarnContext(ctx, message, args...)
	}
}
