package network

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// HTTP is what a user may say of requests. The zero value is fine.
type HTTP struct {
	UserAgent      string        // "" = what the driver says
	Headers        []Header      // of every request
	Download       []Header      // of requests for content or about it
	Upload         []Header      // of requests that send something
	Proxy          *url.URL      // nil = what the environment says
	CloseEach      bool          // a connection is for one request
	ExpectContinue time.Duration // that a server has to let an upload begin; 0 = a second
}

// A Header is one line of a request.
type Header struct{ Name, Value string }

// A Transport makes requests with what its HTTP says, whoever asks for them.
type Transport struct {
	*http.Transport
	says HTTP
}

// Clone returns one with connections of its own.
func (t *Transport) Clone() *Transport { return &Transport{t.Transport.Clone(), t.says} }

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	more := append(t.says.Headers[:len(t.says.Headers):len(t.says.Headers)], t.says.of(r.Method)...)
	if len(more) == 0 && t.says.UserAgent == "" {
		return t.Transport.RoundTrip(r)
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
