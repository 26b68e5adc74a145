// Package google makes the requests of Google's JSON APIs for the drivers that speak them: calls,
// uploads in one request or in chunks, refusals, and service accounts.
//
//	account.go    tokens of service accounts and of the environment
//	transport.go  the way of requests: what is harmless, what is too long
//	whole.go      an upload in one request; resumable.go one in chunks
//	memory.go     what uploads hold
//	service.go    a Service and its calls; pace.go what waits for a limit of rate
//	answer.go     answers and refusals
package google

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// userAgent is what the service is told of who asks.
const userAgent = "ferry"

// A Service makes the requests of one API, each once but for chunks of uploads, and for what Pace
// makes again.
type Service struct {
	Base   string // URL of its resources, ends in a slash
	Upload string // path of its uploads on the same host: "/upload/drive/v3/"
	Client *http.Client
	Tries  int // of a chunk, which nobody above can send again
	// Pace waits where there are too many requests; nil passes such an answer on.
	Pace *Pace
}

// A Call is one request. What it sends and the answer are JSON.
type Call struct {
	Method string
	Path   string // below Base, escaped
	Query  url.Values
	Sends  any // nil = nothing
}

// Do makes a call and decodes the answer into answer, unless that is nil. An answer that refuses it
// is an *AnswerError.
func (s *Service) Do(ctx context.Context, c Call, answer any) error {
	var body io.Reader
	if c.Sends != nil {
		b, err := json.Marshal(c.Sends)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, c.Method, s.Base+c.Path+"?"+parameters(c.Query), body)
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	got, err := s.Send(r)
	if err != nil {
		return err
	}
	return Decode(got, answer)
}

// uploadRequest returns a request that begins an upload of that type, at the place for them on the
// same host.
func (s *Service) uploadRequest(ctx context.Context, c Call, uploadType string, body io.Reader) (*http.Request, error) {
	u, err := url.Parse(s.Base)
	if err != nil {
		return nil, err
	}
	all := url.Values{"uploadType": {uploadType}}
	for name, values := range c.Query {
		all[name] = values
	}
	host := strings.TrimSuffix(u.ResolveReference(&url.URL{Path: "/"}).String(), "/")
	return http.NewRequestWithContext(ctx, c.Method, host+s.Upload+c.Path+"?"+parameters(all), body)
}

// parameters are those of a call, and that it is answered in JSON without white space.
func parameters(query url.Values) string {
	all := url.Values{"alt": {"json"}, "prettyPrint": {"false"}}
	for name, values := range query {
		all[name] = values
	}
	return all.Encode()
}

// Send makes a request and returns the answer to it, whatever it says.
func (s *Service) Send(r *http.Request) (*http.Response, error) {
	r.Header.Set("User-Agent", userAgent)
	if s.Pace == nil {
		return s.Client.Do(r)
	}
	return s.Pace.send(s.Client, r, s.Tries)
}
