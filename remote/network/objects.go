package network

import "net/http"

// Objects makes the requests of an object store by base. A web page in place of an object (which
// would have an ETag) or of a list (which a library may take for an empty one) becomes ErrPage. An
// answer that is not the content of an object fails with remote.ErrMalformed if it is longer than
// any that a store sends.
func Objects(base http.RoundTripper, lists func(*http.Request) bool) http.RoundTripper {
	return &objects{base, lists}
}

type objects struct {
	base  http.RoundTripper
	lists func(*http.Request) bool
}

// RoundTrip implements http.RoundTripper.
func (o *objects) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := o.base.RoundTrip(r)
	if err == nil && Looks(r.Method) && IsPage(answer) && (answer.Header.Get("ETag") == "" || o.lists(r)) {
		answer.Body.Close()
		return nil, ErrPage
	}
	if err == nil && (r.Method != http.MethodGet || answer.StatusCode >= http.StatusMultipleChoices || o.lists(r)) {
		bound(answer)
	}
	return answer, err
}

// CloseIdleConnections is called by http.Client.
func (o *objects) CloseIdleConnections() {
	if c, ok := o.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
