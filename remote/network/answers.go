package network

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"

	"ferry/remote"
)

// Answers makes requests by base and keeps the contract of package remote for changes that cannot
// be cancelled (remote.Committed), whatever the library above it does. It treats all requests so
// except those that only look, and those that are harmless: the effect of a harmless request shows
// only after another request, so it does no harm late or twice.
//
// Until the last byte of such a request may have been sent, the end of its context breaks it off,
// so that the server cannot receive its end. After that, Answers waits for the answer and returns
// it to the caller, until remote.AnswerTime after the end of the context. If there is no answer, or
// only that of an intermediary which does not know the outcome, it calls remote.Unanswered. A web
// page that an intermediary sends in place of the server's answer is ErrPage.
//
// harmless may be nil: then no change is harmless.
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
	case ctx.Err() != nil: // checked after Committed, which would not wait either
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

// CloseIdleConnections is called by http.Client.
func (a *answers) CloseIdleConnections() {
	if c, ok := a.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Looks reports whether requests of the method change nothing.
func Looks(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "PROPFIND", "REPORT", "SEARCH":
		return true
	}
	return false
}

// noAnswer reports whether an answer leaves the outcome of a request open: that of a gateway in
// place of the server. Servers describe errors in XML or JSON, gateways do not.
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

// An endedError is the error of a request whose context has ended.
type endedError struct{ cause error }

func (e *endedError) Error() string { return e.cause.Error() }

func (e *endedError) Unwrap() error { return e.cause }

// NonRetriable makes the Azure client not try again.
func (e *endedError) NonRetriable() {}

// onceKey is the context key of the flag.
type onceKey struct{}

// Once returns a context for a change that must not be repeated when its answer was lost, as it
// could hit a file that was stored meanwhile: a library that repeats it gets an error on which it
// gives up.
func Once(ctx context.Context) context.Context {
	return context.WithValue(ctx, onceKey{}, new(atomic.Bool))
}

// A notAgainError is the error of a repetition that Once forbids.
type notAgainError struct{}

func (*notAgainError) Error() string { return "the answer was lost: it may be done, or not" }

// NonRetriable makes the Azure client not try again.
func (*notAgainError) NonRetriable() {}

// governingKey is the context key of the governing context.
type governingKey struct{}

// Patient returns a context for a library that drops an answer which has arrived if its context has
// ended meanwhile. The context ends only when no answer is waited for any longer, but the requests
// under it are governed by ctx. The caller calls release when it is done.
func Patient(ctx context.Context) (patient context.Context, release func()) {
	patient, release = remote.Committed(ctx)
	return context.WithValue(patient, governingKey{}, ctx), release
}

// governing returns the context whose end cancels a request: its own, or that passed to Patient.
func governing(ctx context.Context) context.Context {
	if own, ok := ctx.Value(governingKey{}).(context.Context); ok {
		return own
	}
	return ctx
}
