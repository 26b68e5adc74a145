package source

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"ferry/feed"
	"ferry/remote/driver/azureblob/entra"
	"ferry/remote/network"
)

const (
	azureVersion = "2021-12-02" // of the protocol
	azurePause   = time.Second  // between questions, which this queue answers at once
	azureMost    = "32"         // messages at once; more it does not give
	azureHidden  = "60"         // seconds until a message that is not dropped comes again
)

// azureQueue is a queue of Azure Storage.
type azureQueue struct {
	client  *http.Client
	account string
	key     []byte            // of the account; nil = there is a signature, or a token
	sas     string            // a signature as a query; "" = there is none
	token   *entra.Credential // nil with the others
	address string            // of the queue's messages
}

func newAzureQueue(u feed.URL, n network.Options) (feed.Source, error) {
	account, _, _ := strings.Cut(u.Hosts[0], ".")
	q := &azureQueue{client: newClient(n), account: account}
	endpoint := u.Options["endpoint"]
	if endpoint == "" {
		endpoint = "https://" + u.Hosts[0]
		if !strings.Contains(u.Hosts[0], ".") {
			endpoint += ".queue.core.windows.net"
		}
	}
	q.address = strings.TrimSuffix(endpoint, "/") + "/" + url.PathEscape(u.Path) + "/messages"
	var err error
	switch {
	case u.Options["sas"] != "":
		q.sas = strings.TrimPrefix(u.Options["sas"], "?")
	case os.Getenv("AZURE_STORAGE_SAS_TOKEN") != "":
		q.sas = strings.TrimPrefix(os.Getenv("AZURE_STORAGE_SAS_TOKEN"), "?")
	case os.Getenv("AZURE_STORAGE_KEY") != "":
		if q.key, err = base64.StdEncoding.DecodeString(os.Getenv("AZURE_STORAGE_KEY")); err != nil {
			return nil, errors.New("AZURE_STORAGE_KEY is not the key of a storage account, which is base64")
		}
	default:
		if q.token, err = entra.Environment(q.client); err != nil {
			return nil, fmt.Errorf("%s: %w", azureKeys, err)
		}
	}
	return &reader{queue: q, pause: azurePause}, nil
}

// azureKeys says what a queue is opened with.
const azureKeys = "the queue needs credentials: set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, add ?sas=, or give the machine an identity"

// do makes one request.
func (q *azureQueue) do(ctx context.Context, method, path string, query url.Values, decode func([]byte) error) error {
	address := q.address + path + "?" + query.Encode()
	if q.sas != "" {
		address += "&" + q.sas
	}
	r, err := request(ctx, method, address)
	if err != nil {
		return err
	}
	r.Header.Set("X-Ms-Date", time.Now().UTC().Format(http.TimeFormat))
	r.Header.Set("X-Ms-Version", azureVersion)
	switch {
	case q.key != nil:
		r.Header.Set("Authorization", "SharedKey "+q.account+":"+q.signature(r))
	case q.token != nil:
		token, err := q.token.Token(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", azureKeys, err)
		}
		r.Header.Set("Authorization", "Bearer "+token.Value)
	}
	return call(q.client, r, decode)
}

// signature signs a request without a body by the key of the account.
func (q *azureQueue) signature(r *http.Request) string {
	lines := []string{r.Method, "", "", "", "", "", "", "", "", "", "", "",
		"x-ms-date:" + r.Header.Get("X-Ms-Date"), "x-ms-version:" + r.Header.Get("X-Ms-Version"), "/" + q.account + r.URL.EscapedPath()}
	query := r.URL.Query()
	var names []string
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		lines = append(lines, strings.ToLower(name)+":"+strings.Join(query[name], ","))
	}
	m := hmac.New(sha256.New, q.key)
	m.Write([]byte(strings.Join(lines, "\n")))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func (q *azureQueue) receive(ctx context.Context, _ bool) ([]queued, error) {
	var got struct {
		Messages []struct {
			ID      string `xml:"MessageId"`
			Receipt string `xml:"PopReceipt"`
			Text    string `xml:"MessageText"`
		} `xml:"QueueMessage"`
	}
	query := url.Values{"numofmessages": {azureMost}, "visibilitytimeout": {azureHidden}}
	if err := q.do(ctx, http.MethodGet, "", query, func(b []byte) error { return xml.Unmarshal(b, &got) }); err != nil {
		return nil, err
	}
	var all []queued
	for _, m := range got.Messages {
		// Event Grid writes base64, others text.
		body, err := base64.StdEncoding.DecodeString(m.Text)
		if err != nil {
			body = []byte(m.Text)
		}
		all = append(all, queued{feed.Message{Body: body}, m.ID, m.Receipt})
	}
	return all, nil
}

func (q *azureQueue) drop(ctx context.Context, all []queued) error {
	for _, m := range all {
		if err := q.do(ctx, http.MethodDelete, "/"+url.PathEscape(m.id), url.Values{"popreceipt": {m.receipt}}, nil); err != nil {
			return err
		}
	}
	return nil
}
