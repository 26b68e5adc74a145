package s3

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// Not every server honours If-Match of a DELETE; Amazon's does, and many others ignore it without a
// word. So it is tried when it is first needed: the object is compared, and then removed on a
// precondition that does not hold. A server that refuses that honours preconditions, and from then
// on they are all that is sent. With one that removes the object all the same the comparison just
// before is what there is, and each removal costs one request more.
const (
	notTried int32 = iota
	honoured
	ignored
	refused // as something that the server does not know
)

// noETag is that of no object.
const noETag = "00000000000000000000000000000000"

// removeVersion removes the object at a place if it has that ETag, "" being any. Another object
// stays, and is remote.ErrChanged. One that is missing may be an error, or not.
func (r *Remote) removeVersion(ctx context.Context, at place, etag string) error {
	state := r.precondition.Load()
	switch {
	case etag == "":
		return r.removeOn(ctx, at, "")
	case state == honoured:
		return r.removeOn(ctx, at, etag)
	}
	if err := r.compare(ctx, at, etag); err != nil {
		return err
	}
	if state != notTried {
		return r.removeOn(ctx, at, etag)
	}
	err := r.removeOn(ctx, at, noETag)
	switch {
	case err == nil: // of several that try at once, one may have found out that they are refused
		r.precondition.CompareAndSwap(notTried, ignored)
	case errors.Is(err, remote.ErrChanged):
		r.precondition.Store(honoured)
		err = r.removeOn(ctx, at, etag)
	}
	return err
}

// compare returns remote.ErrChanged unless the object at a place has that ETag.
func (r *Remote) compare(ctx context.Context, at place, etag string) error {
	info, err := r.head(ctx, at)
	if err == nil && info.ETag != etag {
		err = remote.ErrChanged
	}
	return err
}

// removeOn removes the object at a place on the precondition that it has that ETag, where the
// server takes one.
func (r *Remote) removeOn(ctx context.Context, at place, etag string) error {
	if etag == "" || r.precondition.Load() == refused {
		return r.once.RemoveObject(ctx, at.Bucket, at.Name, minio.RemoveObjectOptions{})
	}
	err := r.once.RemoveObject(context.WithValue(ctx, ifMatchKey{}, etag), at.Bucket, at.Name, minio.RemoveObjectOptions{})
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return err
	}
	switch answer.StatusCode {
	case http.StatusPreconditionFailed:
		return remote.ErrChanged
	case http.StatusNotImplemented:
		r.precondition.Store(refused)
		return r.once.RemoveObject(ctx, at.Bucket, at.Name, minio.RemoveObjectOptions{})
	}
	return err
}

// ifMatchKey is that of an ETag in the values of a context.
type ifMatchKey struct{}

// conditional sends requests with the precondition of their context, for which the library has no
// option. The header is not signed, which the protocol allows.
type conditional struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (c conditional) RoundTrip(q *http.Request) (*http.Response, error) {
	if etag, ok := q.Context().Value(ifMatchKey{}).(string); ok && q.Method == http.MethodDelete {
		q = q.Clone(q.Context())
		q.Header.Set("If-Match", `"`+etag+`"`)
	}
	if on, ok := q.Context().Value(preconditionKey{}).(*precondition); ok && (q.Method == http.MethodPut || q.Method == http.MethodPost) {
		return on.send(q, c.RoundTripper)
	}
	return c.RoundTripper.RoundTrip(q)
}

// preconditionKey is that of a *precondition in the values of a context.
type preconditionKey struct{}

// A precondition is what must be true of an object that is stored.
type precondition struct {
	etag  string      // that it has; "" = there must be none
	doubt atomic.Bool // a request was sent, and may have been carried out
}

// send sends a request on the precondition. The headers are not signed, which the protocol allows.
func (p *precondition) send(q *http.Request, by http.RoundTripper) (*http.Response, error) {
	q = q.Clone(q.Context())
	if p.etag == "" {
		q.Header.Set("If-None-Match", "*")
	} else {
		q.Header.Set("If-Match", `"`+p.etag+`"`)
	}
	answer, err := by.RoundTrip(q)
	if err != nil || answer.StatusCode >= http.StatusInternalServerError || answer.StatusCode == http.StatusRequestTimeout {
		p.doubt.Store(true)
	}
	return answer, err
}
