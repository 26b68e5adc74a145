package remote

import (
	"context"
	"time"
)

// A change that has been sent completely cannot be cancelled: the server may make it, at once or
// later, whatever happens to the connection. So a driver does two things.
//
// It sends the request that makes the change visible (the last byte of a body, a rename, a
// deletion, the completion of a multipart upload) under the context that Committed returns, and
// returns its answer even if the caller's context has ended meanwhile. Before that request, the end
// of the context cancels the call in such a way that the server never receives the end of it.
//
// And it calls Unanswered each time such a request, or a repetition of it by a library, ended
// without an answer of the server. The change is then in doubt: it may have been made or not, or
// may be made later, after changes that followed it.

// AnswerTime is how long a call waits for the answer to a request that cannot be cancelled, after
// its own context has ended.
const AnswerTime = 15 * time.Second

// Committed returns the context for a request that cannot be cancelled once it has begun: it ends
// AnswerTime after ctx does, and has the values of ctx. If ctx has already ended, so has it. The
// caller calls release after the request.
func Committed(ctx context.Context) (committed context.Context, release func()) {
	if ctx.Err() != nil {
		return ctx, func() {}
	}
	committed, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(AnswerTime)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(context.Cause(ctx))
		case <-committed.Done():
		}
	})
	return committed, func() {
		stop()
		cancel(nil)
	}
}

// unansweredKey is the context key of the function.
type unansweredKey struct{}

// WithUnanswered returns a context under which report is called for each change that was sent and
// not answered, before the call that made it returns. report may be called several times for one
// call, also by several goroutines at once, and also when the call succeeds in the end: a
// repetition of the request was answered, and the first one may still take effect.
func WithUnanswered(ctx context.Context, report func()) context.Context {
	return context.WithValue(ctx, unansweredKey{}, report)
}

// Unanswered reports that a change was sent under ctx and not answered. Drivers call it; decorators
// need not know.
func Unanswered(ctx context.Context) {
	if report, ok := ctx.Value(unansweredKey{}).(func()); ok {
		report()
	}
}
