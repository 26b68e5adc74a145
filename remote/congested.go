package remote

import "context"

// congestedKey is the context key of the function.
type congestedKey struct{}

// WithCongested returns a context under which report is called each time the remote refuses a
// request because there are too many, or a call fails on the way and is made again, before the call
// returns. report may be called several times for one call, also by several goroutines at once, and
// also when the call succeeds in the end.
func WithCongested(ctx context.Context, report func()) context.Context {
	return context.WithValue(ctx, congestedKey{}, report)
}

// Congested reports that the remote refused a request under ctx because there are too many, or that
// a call was not answered and is made again. Whoever repeats requests calls it, so that those who
// decide how many there are at a time learn of what they do not see.
func Congested(ctx context.Context) {
	if report, ok := ctx.Value(congestedKey{}).(func()); ok {
		report()
	}
}
