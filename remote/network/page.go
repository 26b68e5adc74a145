package network

import (
	"errors"
	"net/http"
	"strings"
)

// ErrPage is the error when a web page arrived in place of an answer, as from a captive portal:
// nothing was done. It passes when the user has logged in to that network.
var ErrPage = errors.New("a web page came instead of an answer: log in to the network, or correct the address of the server")

// IsPage reports whether a successful answer is a web page. No file protocol answers a change or a
// listing so; WebDAV servers add a page to 201 and to errors.
func IsPage(answer *http.Response) bool {
	kind := strings.ToLower(answer.Header.Get("Content-Type"))
	return answer.StatusCode == http.StatusOK && answer.ContentLength != 0 &&
		(strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "application/xhtml"))
}

// NotFollowed is for http.Client.CheckRedirect. It makes a redirect the answer: a client that
// followed it would query the new location, and take its existence for success of the change.
func NotFollowed(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

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
