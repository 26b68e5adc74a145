package network

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"ferry/remote"
)

// HTTP configures requests. The zero value is valid.
type HTTP struct {
	UserAgent      string        // "" = that of the driver
	Headers        []Header      // of every request
	Download       []Header      // of requests for content or metadata
	Upload         []Header      // of requests that send content
	Proxy          *url.URL      // nil = that of the environment
	CloseEach      bool          // use each connection for one request only
	ExpectContinue time.Duration // how long to wait for 100 Continue before an upload; 0 = a second
}

// A Header is one line of a request.
type Header struct{ Name, Value string }

// A Transport makes all requests with the settings of its HTTP.
type Transport struct {
	*http.Transport
	says   HTTP
	direct *direct // sends what is small; nil = nothing
}

// Clone returns a Transport with connections of its own, which sends nothing directly.
func (t *Transport) Clone() *Transport {
	return &Transport{Transport: t.Transport.Clone(), says: t.says}
}

// SendDirectly makes t send requests with a body in memory of up to 64 KiB in the goroutine of the
// caller, which costs half, by connections of their own. It is called before the first request, and
// has no effect where the system cannot tell whether a connection has ended, for requests by a
// proxy, and where each connection is for one request.
func (t *Transport) SendDirectly() {
	if canLook {
		t.direct = &direct{base: t.Transport}
	}
}

// CloseIdleConnections closes the connections that carry no request.
func (t *Transport) CloseIdleConnections() {
	t.Transport.CloseIdleConnections()
	if t.direct != nil {
		t.direct.closeIdle()
	}
}

// RoundTrip implements http.RoundTripper. An answer that there are too many requests is reported by
// remote.Congested, as libraries make the request again without saying so; the Date of an answer
// goes to remote.ClockOf.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := time.Now()
	answer, err := t.send(r)
	if report := remote.ClockOf(r.Context()); err == nil && report != nil {
		if there, err := http.ParseTime(answer.Header.Get("Date")); err == nil && answer.Header.Get("Age") == "" { // it is of no cache
			report(there, sent)
		}
	}
	if err == nil && (answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusServiceUnavailable) {
		remote.Congested(r.Context())
	}
	return answer, err
}

func (t *Transport) send(r *http.Request) (*http.Response, error) {
	more := append(t.says.Headers[:len(t.says.Headers):len(t.says.Headers)], t.says.of(r.Method)...)
	if len(more) == 0 && t.says.UserAgent == "" {
		return t.pass(r)
	}
	r = r.Clone(r.Context())
	if t.says.UserAgent != "" {
		r.Header.Set("User-Agent", t.says.UserAgent)
	}
	for _, h := range more {
		if strings.EqualFold(h.Name, "Host") {
			r.Host = h.Value
			continue
		}
		r.Header.Set(h.Name, h.Value)
	}
	return t.pass(r)
}

// pass makes a request whose header is complete.
func (t *Transport) pass(r *http.Request) (*http.Response, error) {
	if t.direct != nil && t.direct.fits(r) {
		return t.direct.roundTrip(r)
	}
	return t.Transport.RoundTrip(r)
}

func (h HTTP) of(method string) []Header {
	switch method {
	case http.MethodGet:
		return h.Download
	case http.MethodPut, http.MethodPost, http.MethodPatch:
		return h.Upload
	}
	return nil
}
