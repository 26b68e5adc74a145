package network

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"

	"ferry/remote"
)

// Answers makes requests by base and keeps what package remote says of changes that cannot be
// called back, whatever the library above it does. It is for all requests but those that only look,
// and those that are harmless: what they do shows only by another request, so that nobody minds
// when it is done late, or twice.
//
// Until the last byte of such a request may have left, the end of its context breaks it off, so
// that the server cannot see its end. After that the answer is waited for, and is what the caller
// gets: for remote.AnswerTime after the context has ended. If no answer comes, or that of an
// intermediary which does not know, it calls remote.Unanswered. A page that somebody on the way
// shows in the place of the server is ErrPage.
//
// The function harmless may be nil: then no change is.
func Answers(base http.RoundTripper, harmless func(*http.Request) bool) http.RoundTripper {
	return &answers{base, harmless}
}

type answers struct {
	base     http.RoundTripper
	harmless func(*http.Request) bool
}

// RoundTrip implements http.RoundTripper.
func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if Looks(r.Method) {
		return a.base.RoundTrip(r)
	}
	if a.harmless != nil && a.harmless(r) {
		answer, err := a.base.RoundTrip(r)
		if err == nil && IsPage(answer) {
			answer.Body.Close()
			return nil, ErrPage
		}
		return answer, err
	}
	ctx := governing(r.Context())
	until, release := remote.Committed(ctx)
	lost, once := r.Context().Value(onceKey{}).(*atomic.Bool)
	var refused error
	switch {
	case ctx.Err() != nil: // asked after Committed, which would not wait either
		refused = &endedError{context.Cause(ctx)}
	case once && lost.Load():
		refused = &notAgainError{}
	}
	if refused != nil {
		release()
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, refused
	}
	s := newSending(ctx, until, release, r)
	doubt := func() {
		remote.Unanswered(ctx)
		if once {
			lost.Store(true)
		}
	}
	answer, err := a.base.RoundTrip(s.request)
	if err == nil && IsPage(answer) {
		answer.Body.Close()
		err = ErrPage
	}
	if err != nil {
		s.end()
		if s.inDoubt() {
			doubt()
		}
		if ctx.Err() != nil {
			err = &endedError{context.Cause(ctx)}
		}
		return nil, err
	}
	answer.Request = r
	if s.isCommitted() && noAnswer(answer) {
		doubt()
	}
	s.watch(answer)
	return answer, nil
}

// CloseIdleConnections is what http.Client looks for.
func (a *answers) CloseIdleConnections() {
	if c, ok := a.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Looks reports whether requests of that method change nothing.
func Looks(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "PROPFIND", "REPORT", "SEARCH":
		return true
	}
	return false
}

// noAnswer reports whether an answer leaves open what became of a request: one that a gateway gives
// in place of the server. Servers say in XML or JSON what went wrong, gateways do not.
func noAnswer(answer *http.Response) bool {
	const clientGone = 499 // nginx
	switch answer.StatusCode {
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusGatewayTimeout, clientGone:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported, http.StatusInsufficientStorage:
		return false
	}
	kind := answer.Header.Get("Content-Type")
	return answer.StatusCode >= http.StatusInternalServerError && !strings.Contains(kind, "xml") && !strings.Contains(kind, "json")
}

// An endedError says that the context of a request has ended.
type endedError struct{ cause error }

func (e *endedError) Error() string { return e.cause.Error() }

func (e *endedError) Unwrap() error { return e.cause }

// NonRetriable tells the client for Azure not to try again.
func (e *endedError) NonRetriable() {}

// onceKey is that of the flag in the values of a context.
type onceKey struct{}

// Once returns a context for a change that must not be made again when its answer was lost, as it
// could hit what was stored meanwhile: a library that tries to gets an error that it does not try
// to help.
func Once(ctx context.Context) context.Context {
	return context.WithValue(ctx, onceKey{}, new(atomic.Bool))
}

// A notAgainError is what a request is answered with that Once forbids.
type notAgainError struct{}

func (*notAgainError) Error() string { return "the answer was lost: it may be done, or not" }

// NonRetriable is as that of endedError.
func (*notAgainError) NonRetriable() {}

// governingKey is that of a context in the values of another.
type governingKey struct{}

// Patient returns a context for a library that looks whether its context has ended although the
// answer is there, and drops the answer. It ends when no answer to a request is waited for any
// longer, but the requests under it are governed by ctx. The caller calls release when it is done.
func Patient(ctx context.Context) (patient context.Context, release func()) {
	patient, release = remote.Committed(ctx)
	return context.WithValue(patient, governingKey{}, ctx), release
}

// governing returns the context that a request is called off by: its own, or that of Patient.
func governing(ctx context.Context) context.Context {
	if own, ok := ctx.Value(governingKey{}).(context.Context); ok {
		return own
	}
	return ctx
}
