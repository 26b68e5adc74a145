package remote

import (
	"context"
	"time"
)

// clockKey is the context key of the function.
type clockKey struct{}

// WithClock returns a context under which report is called with each time that the far side tells
// in an answer, by its own clock, and when the request was sent, by the clock here. The far side
// has read its clock after that, and before report is called. report may be called by several
// goroutines at once. A remote that never calls it does not tell the time.
func WithClock(ctx context.Context, report func(there, sent time.Time)) context.Context {
	return context.WithValue(ctx, clockKey{}, report)
}

// ClockOf returns what is told the times of the far side's clock under ctx, nil if nobody asks for
// them. Who speaks the protocol of the remote calls it; decorators need not know.
func ClockOf(ctx context.Context) func(there, sent time.Time) {
	report, _ := ctx.Value(clockKey{}).(func(there, sent time.Time))
	return report
}
