package google

import (
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"ferry/remote/network"
)

// Options are how requests are made.
type Options struct {
	Tokens   oauth2.TokenSource       // nil = nobody in particular asks
	Harmless func(*http.Request) bool // see network.Answers
	Header   http.Header              // of every request
	// PagesAreFiles says that a content which is a web page is not taken for one of a captive
	// portal: whoever reads it knows what it is to be.
	PagesAreFiles bool
}

// NewClient returns a client that makes requests by base.
func NewClient(base *network.Transport, o Options) *http.Client {
	t := &transport{idle: base.CloseIdleConnections, header: o.Header}
	t.sender = network.Answers(&contents{network.Objects(base, lists), base, o.PagesAreFiles}, o.Harmless)
	if o.Tokens != nil {
		t.sender = &oauth2.Transport{Base: t.sender, Source: o.Tokens}
	}
	return &http.Client{Transport: t, CheckRedirect: network.NotFollowed}
}

// Harmless reports whether nobody sees what a request does: it begins an upload, or sends a chunk
// that is not the last, or asks what has come of one.
func Harmless(q *http.Request) bool {
	span := q.Header.Get("Content-Range")
	begins := q.URL.Query().Get("uploadType") == "resumable" && span == ""
	return begins || strings.HasSuffix(span, "/*")
}

// lists reports whether a request does not ask for a content.
func lists(q *http.Request) bool { return q.URL.Query().Get("alt") == "json" }

// A transport says who is asking, and what else there is to say.
type transport struct {
	sender http.RoundTripper
	idle   func() // closes idle connections
	header http.Header
}

// CloseIdleConnections is what http.Client looks for.
func (t *transport) CloseIdleConnections() { t.idle() }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if len(t.header) > 0 {
		r = r.Clone(r.Context())
		for name, values := range t.header {
			r.Header[name] = values
		}
	}
	return t.sender.RoundTrip(r)
}

// contents makes requests for contents as they are where pages are files, and all others by
// checked.
type contents struct {
	checked       http.RoundTripper
	plain         http.RoundTripper
	pagesAreFiles bool
}

// RoundTrip implements http.RoundTripper.
func (c *contents) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.pagesAreFiles && r.Method == http.MethodGet && !lists(r) {
		return c.plain.RoundTrip(r)
	}
	return c.checked.RoundTrip(r)
}
