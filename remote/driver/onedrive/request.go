package onedrive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
	"ferry/remote/network"
)

// maxAnswer is how long an answer without a content may be. A page of a thousand entries has about
// a megabyte.
const maxAnswer = 16 << 20

// An api makes the requests of one remote. Each is repeated when the service has too many.
type api struct {
	client   *httpclient.Client
	base     *url.URL // ends in a slash
	tokens   oauth2.TokenSource
	login    string // the command that logs in again
	tries    int
	throttle throttle
}

// A call is one request.
type call struct {
	method string
	to     string   // address below the base, or
	url    *url.URL // the whole address
	query  string
	header map[string]string
	sends  any    // as JSON; nil = nothing
	body   []byte // what is sent in place of that
	open   bool   // the address says who is asking: no token is sent
}

// quietKey is the context key of calls that change nothing that shows.
type quietKey struct{}

// quiet returns a context for calls that change nothing that shows before another one.
func quiet(ctx context.Context) context.Context { return context.WithValue(ctx, quietKey{}, true) }

func isQuiet(ctx context.Context) bool { return ctx.Value(quietKey{}) != nil }

// do makes a call and decodes the answer into into, unless that is nil. A refusal is an
// *answerError.
func (a *api) do(ctx context.Context, c call, into any) error {
	answer, err := a.send(ctx, c)
	if err != nil {
		return err
	}
	if answer.StatusCode < http.StatusOK || answer.StatusCode >= http.StatusMultipleChoices {
		return refused(answer, a.login)
	}
	defer httpclient.Drain(answer)
	if into == nil {
		return nil
	}
	return decode(answer, into)
}

// decode reads an answer into into.
func decode(answer *http.Response, into any) error {
	if network.IsPage(answer) {
		return network.ErrPage
	}
	b, err := io.ReadAll(network.NewBounded(answer.Body, maxAnswer))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s breaks off an answer: %w", answer.Request.URL.Host, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", answer.Request.URL.Host, remote.ErrMalformed)
	}
	return nil
}

// send makes a call and returns the answer, whatever it says; the caller closes it. Where the
// service has too many requests, all wait as long as it says, and the call is made again.
func (a *api) send(ctx context.Context, c call) (*http.Response, error) {
	renewed := false
	for attempt := 0; ; attempt++ {
		if err := a.throttle.Wait(ctx); err != nil {
			return nil, err
		}
		request, token, err := a.request(ctx, c)
		if err != nil {
			return nil, err
		}
		answer, err := a.client.Do(request)
		switch {
		case err != nil:
			return nil, err
		case answer.StatusCode == http.StatusUnauthorized && !renewed && a.isNew(token):
			renewed = true // another process, or another call, has got a new one
		case !tooMany(answer):
			return answer, nil
		default:
			a.throttle.hold(ctx, retryAfter(answer.Header.Get("Retry-After"), attempt))
			if attempt+1 >= a.tries {
				return nil, remote.Repeated(refused(answer, a.login))
			}
		}
		httpclient.Drain(answer)
	}
}

// request returns the request that c is, and the token that it carries.
func (a *api) request(ctx context.Context, c call) (*http.Request, string, error) {
	u := c.url
	if u == nil {
		var err error
		if u, err = a.base.Parse(a.base.EscapedPath()[:len(a.base.EscapedPath())-1] + c.to); err != nil {
			return nil, "", fmt.Errorf("%w: it cannot be part of an address", remote.ErrBadName)
		}
		u.RawQuery = c.query
	}
	body := c.body
	if c.sends != nil {
		var err error
		if body, err = json.Marshal(c.sends); err != nil {
			return nil, "", err
		}
	}
	var r *http.Request
	if body == nil {
		r = a.client.Request(ctx, c.method, u, nil)
	} else {
		r = a.client.Request(ctx, c.method, u, bytes.NewReader(body))
	}
	if c.sends != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	if c.open || a.tokens == nil {
		return r, "", nil
	}
	token, err := a.tokens.Token()
	if err != nil {
		return nil, "", a.noToken(err)
	}
	r.Header.Set("Authorization", token.Type()+" "+token.AccessToken)
	return r, token.AccessToken, nil
}

// noToken explains why there is no token to be had. What the authority sends stays out of it, but
// for its word for what is wrong.
func (a *api) noToken(err error) error {
	var refusal *oauth2.RetrieveError
	if errors.As(err, &refusal) {
		return fmt.Errorf("the login is not accepted any more (%.60s)%s: %w", refusal.ErrorCode, again(a.login), remote.ErrPermission)
	}
	return err
}

// isNew reports whether the token to be used now is another one than that.
func (a *api) isNew(than string) bool {
	if a.tokens == nil || than == "" {
		return false
	}
	token, err := a.tokens.Token()
	return err == nil && token.AccessToken != than
}
