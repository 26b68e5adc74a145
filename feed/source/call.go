package source

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"ferry/feed"
	"ferry/remote/network"
)

// maxAnswer is how long an answer may be: queues bound what they give at once below that.
const maxAnswer = 32 << 20

// newClient returns a client for requests to one server.
func newClient(n network.Options) *http.Client {
	return &http.Client{Transport: n.Transport(2), CheckRedirect: network.NotFollowed}
}

// call makes a request and reads the answer, by decode unless that is nil. An error shows neither
// the URL, which may be signed, nor what was sent.
func call(client *http.Client, q *http.Request, decode func([]byte) error) error {
	answer, err := client.Do(q)
	if err != nil {
		var why *url.Error
		if errors.As(err, &why) {
			err = why.Err
		}
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return err
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		return fmt.Errorf("the queue answers %d %s", answer.StatusCode, reason(body))
	case decode == nil:
		return nil
	}
	if err := decode(body); err != nil {
		return errors.New("the queue gives an answer that cannot be read: check the address")
	}
	return nil
}

// reason is the word of a service for why it refuses.
func reason(body []byte) string {
	var says struct {
		Type  string `json:"__type"` // Amazon
		Error struct{ Status string }
	}
	if json.Unmarshal(body, &says) == nil {
		return says.Type + says.Error.Status
	}
	var code struct{ Code string } // Azure
	if xml.Unmarshal(body, &code) == nil {
		return code.Code
	}
	return ""
}

// request makes a request without a body.
func request(ctx context.Context, method, address string) (*http.Request, error) {
	q, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, errors.New("the address of the queue is no URL")
	}
	return q, nil
}

// secure reports whether the option tls asks for TLS; def is what holds without it.
func secure(u feed.URL, def bool) bool {
	if u.Options["tls"] == "" {
		return def
	}
	return u.Options["tls"] == "true"
}
