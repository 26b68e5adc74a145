package remote

import (
	"context"
	"time"
)

// A change of a remote that has been handed to the network as a whole cannot be called back: the
// far side may make it, at once or later, whatever becomes of the connection. So a driver does two
// things.
//
// It sends the request that makes the change visible (the last byte of a body, a rename, a
// deletion, the completion of a multipart upload) under the context that Committed returns, and
// returns its answer also when the caller's context has ended meanwhile. Before that request,
// ending the context breaks the call off so that the far side cannot see the end of it.
//
// And it calls Unanswered each time such a request, or a repetition of it that a library makes,
// ended without the answer of the far side. Then the change is in doubt: it may be made, or not, or
// be made later, after changes that came after it.

// AnswerTime is how long a call waits for the answer to a request that cannot be called back after
// its own context has ended.
const AnswerTime = 15 * time.Second

// Committed returns the context for a request that cannot be called back once it was begun: it ends
// AnswerTime after ctx does, and has the values of ctx. When ctx has ended already, so has it. The
// caller calls release when the request is over.
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

// unansweredKey is that of the function in the values of a context.
type unansweredKey struct{}

// WithUnanswered returns a context under which report is called for each change that was sent and
// not answered, before the call that made it returns. report may be called several times for one
// call, also by several goroutines at once, and also when the call succeeds in the end: a
// repetition of the request was answered, and the first one may still be carried out.
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
