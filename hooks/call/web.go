package call

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// mostWait bounds what an answer may ask for by Retry-After.
const mostWait = 24 * time.Hour

func newClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost, t.IdleConnTimeout = 8, 30*time.Second
		transport = t
	}
	return &http.Client{
		Transport: transport,
		// What is told is for the address that was named, not for where that sends it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends messages to the address.
func (c *Caller) post(ctx context.Context, messages []Message) (Answer, error) {
	now := time.Now()
	req, err := c.request(ctx, messages, now)
	if err != nil {
		return Answer{}, failed("%s: %v", c, err)
	}
	req.Header.Set("User-Agent", "ferry")
	resp, err := c.client.Do(req)
	if err != nil {
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err // without the address, in which a password may be
		}
		return Answer{}, failed("%s: %v", c, err)
	}
	defer resp.Body.Close()
	text, err := readBounded(resp.Body)
	if err != nil {
		return Answer{}, failed("%s: its answer broke off: %v", c, err)
	}
	answer := answerOf(text, isJSON(resp.Header.Get("Content-Type")))
	if resp.StatusCode/100 == 2 {
		return answer, nil
	}
	bad := failed("%s answers %s%s", c, resp.Status, firstLine(answer))
	bad.Answer = answer
	bad.Refused = refuses(resp.StatusCode)
	bad.Gone = resp.StatusCode == http.StatusGone
	bad.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), now)
	if resp.StatusCode/100 == 3 {
		bad.text += ": no redirect is followed, so give the address where it leads"
	}
	return Answer{}, bad
}

// request returns what is sent.
func (c *Caller) request(ctx context.Context, messages []Message, now time.Time) (*http.Request, error) {
	if messages[0].File != nil {
		return c.contentRequest(ctx, messages[0], now)
	}
	body, contentType, err := c.body(messages)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.URL, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the address is wrong")
	}
	req.Header.Set("Content-Type", contentType)
	id := idOf(messages)
	signed, err := c.signatures(id, now, func(w io.Writer) error {
		_, err := w.Write(body)
		return err
	})
	sign(req, id, now, signed)
	return req, err
}

// refuses reports whether a status is an answer, and not one of a service that cannot give one.
func refuses(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired, http.StatusRequestTimeout,
		http.StatusTooEarly, http.StatusTooManyRequests, http.StatusUnsupportedMediaType, http.StatusUnauthorized:
		return false
	}
	return status/100 == 4
}

// retryAfter reads seconds or a date.
func retryAfter(s string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		wait = time.Duration(min(n, int64(mostWait/time.Second))) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		wait = at.Sub(now)
	}
	return max(0, min(wait, mostWait))
}
