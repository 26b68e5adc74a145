package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"ferry/feed"
	"ferry/remote/network"
)

const (
	pubsubEndpoint = "https://pubsub.googleapis.com"
	pubsubScope    = "https://www.googleapis.com/auth/pubsub"
	pubsubMost     = 100 // messages at once
)

// pubsubQueue is a subscription of Google Pub/Sub, pulled by its JSON API.
type pubsubQueue struct {
	client  *http.Client
	address string // of the subscription
}

func newPubSub(u feed.URL, n network.Options) (feed.Source, error) {
	client := newClient(n)
	endpoint := cmp.Or(u.Options["endpoint"], emulator(), pubsubEndpoint)
	q := &pubsubQueue{client: client, address: fmt.Sprintf("%s/v1/projects/%s/subscriptions/%s", strings.TrimSuffix(endpoint, "/"), url.PathEscape(u.Hosts[0]), url.PathEscape(u.Path))}
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, client)
	var tokens oauth2.TokenSource
	switch file := u.Options["credentials"]; {
	case file != "":
		key, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("option credentials: %w", err)
		}
		config, err := google.JWTConfigFromJSON(key, pubsubScope)
		if err != nil {
			return nil, fmt.Errorf("option credentials: %s is not the JSON key of a service account", file)
		}
		tokens = config.TokenSource(ctx)
	case endpoint == pubsubEndpoint:
		found, err := google.DefaultTokenSource(ctx, pubsubScope)
		if err != nil {
			return nil, errors.New("there are no credentials for Pub/Sub: add ?credentials=FILE, the JSON key of a service account, or set GOOGLE_APPLICATION_CREDENTIALS")
		}
		tokens = found
	}
	if tokens != nil {
		q.client = &http.Client{Transport: &oauth2.Transport{Base: client.Transport, Source: tokens}, CheckRedirect: network.NotFollowed}
	}
	return &reader{queue: q}, nil
}

// emulator is where one is, if the environment says so.
func emulator() string {
	if host := os.Getenv("PUBSUB_EMULATOR_HOST"); host != "" {
		return "http://" + host
	}
	return ""
}

func (q *pubsubQueue) do(ctx context.Context, action string, sends, answer any) error {
	body, err := json.Marshal(sends)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, q.address+":"+action, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address of the subscription is no URL")
	}
	r.Header.Set("Content-Type", "application/json")
	return call(q.client, r, func(b []byte) error { return json.Unmarshal(b, answer) })
}

// receive asks for messages. The service keeps the question for some time when there are none.
func (q *pubsubQueue) receive(ctx context.Context, atOnce bool) ([]queued, error) {
	var got struct {
		ReceivedMessages []struct {
			AckID   string
			Message struct {
				Data       []byte // base64
				Attributes map[string]string
			}
		}
	}
	sends := map[string]any{"maxMessages": pubsubMost}
	if atOnce {
		sends["returnImmediately"] = true
	}
	if err := q.do(ctx, "pull", sends, &got); err != nil {
		return nil, err
	}
	var all []queued
	for _, m := range got.ReceivedMessages {
		all = append(all, queued{Message: feed.Message{Body: m.Message.Data, Attributes: m.Message.Attributes}, receipt: m.AckID})
	}
	return all, nil
}

func (q *pubsubQueue) drop(ctx context.Context, all []queued) error {
	var ids []string
	for _, m := range all {
		ids = append(ids, m.receipt)
	}
	return q.do(ctx, "acknowledge", map[string]any{"ackIds": ids}, &struct{}{})
}
