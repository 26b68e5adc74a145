package network

import (
	"errors"
	"net/http"
	"strings"
)

// ErrPage is a web page that came in the place of an answer, as from a captive portal: nothing was
// done. It passes when somebody has logged in to that network.
var ErrPage = errors.New("a web page came instead of an answer: log in to the network, or correct the address of the server")

// IsPage reports whether an answer says that all is well by showing a web page. No protocol of
// files does so where something was changed or listed; servers of WebDAV add one to 201 and to
// errors.
func IsPage(answer *http.Response) bool {
	kind := strings.ToLower(answer.Header.Get("Content-Type"))
	return answer.StatusCode == http.StatusOK && answer.ContentLength != 0 &&
		(strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "application/xhtml"))
}

// NotFollowed is for http.Client.CheckRedirect. It makes a redirection the answer: a client would
// look at the new place, and take that it is there for a change that was made.
func NotFollowed(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Objects makes the requests for a store of objects by base, and ErrPage of a page that comes in
// the place of an object, which would have an ETag, or of a list, which a library may take for an
// empty one. What is not the content of an object fails with remote.ErrMalformed when it is longer
// than anything a store has to say.
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

// CloseIdleConnections is what http.Client looks for.
func (o *objects) CloseIdleConnections() {
	if c, ok := o.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
