package gcs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"ferry/remote"
)

// userAgent is what the service is told of who asks.
const userAgent = "ferry"

// maxAnswer is how long an answer without a content may be. A page of a thousand objects has some
// megabytes.
const maxAnswer = 64 << 20

// A service makes the requests of the JSON API of Cloud Storage, each once but for chunks of
// uploads.
type service struct {
	base   string // URL of its resources, ends in a slash
	client *http.Client
	tries  int // of a chunk, which nobody above can send again
}

// A call is one request. What it sends and the answer are JSON.
type call struct {
	method string
	path   string // below base, escaped
	query  url.Values
	sends  any // nil = nothing
}

func bucketPath(bucket string) string { return "b/" + url.PathEscape(bucket) }

func objectPath(bucket, name string) string { return bucketPath(bucket) + "/o/" + url.PathEscape(name) }

// do makes a call and decodes the answer into answer, unless that is nil. An answer that refuses it
// is an *answerError.
func (s *service) do(ctx context.Context, c call, answer any) error {
	var body io.Reader
	if c.sends != nil {
		b, err := json.Marshal(c.sends)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, s.base+c.path+"?"+parameters(c.query), body)
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	got, err := s.send(r)
	if err != nil {
		return err
	}
	return decode(got, answer)
}

// uploadRequest returns a request that begins an upload of that type, at the place for them on the
// same host.
func (s *service) uploadRequest(ctx context.Context, path, uploadType string, query url.Values, body io.Reader) (*http.Request, error) {
	u, err := url.Parse(s.base)
	if err != nil {
		return nil, err
	}
	all := url.Values{"uploadType": {uploadType}}
	for name, values := range query {
		all[name] = values
	}
	host := strings.TrimSuffix(u.ResolveReference(&url.URL{Path: "/"}).String(), "/")
	return http.NewRequestWithContext(ctx, http.MethodPost, host+"/upload/storage/v1/"+path+"?"+parameters(all), body)
}

// parameters are those of a call, and that it is answered in JSON without white space.
func parameters(query url.Values) string {
	all := url.Values{"alt": {"json"}, "prettyPrint": {"false"}}
	for name, values := range query {
		all[name] = values
	}
	return all.Encode()
}

// send makes a request and returns the answer to it, whatever it says.
func (s *service) send(r *http.Request) (*http.Response, error) {
	r.Header.Set("User-Agent", userAgent)
	return s.client.Do(r)
}

// decode reads an answer into v, unless that is nil, and closes it.
func decode(answer *http.Response, v any) error {
	defer answer.Body.Close()
	if err := checkAnswer(answer); err != nil {
		return err
	}
	body := io.LimitReader(answer.Body, maxAnswer)
	if v == nil || answer.StatusCode == http.StatusNoContent {
		_, err := io.Copy(io.Discard, body)
		return err
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: check the option endpoint", remote.ErrMalformed)
	}
	return nil
}

// An answerError is an answer that refuses a request.
type answerError struct {
	code   int
	reason string // the service's own word, where it gave one
}

func (e *answerError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", e.code, e.reason))
}

// checkAnswer returns what an answer refuses, or nil. It does not close it.
func checkAnswer(answer *http.Response) error {
	if answer.StatusCode >= http.StatusOK && answer.StatusCode < http.StatusMultipleChoices {
		return nil
	}
	var says struct {
		Error struct {
			Errors []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	refusal := &answerError{code: answer.StatusCode}
	// What is not such a JSON, as from a proxy, gives no reason.
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err == nil && json.Unmarshal(body, &says) == nil && len(says.Error.Errors) > 0 {
		refusal.reason = says.Error.Errors[0].Reason
	}
	return refusal
}
