package source

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/feed"
	"ferry/remote"
	"ferry/remote/network"
)

const token = "0123456789abcdef"

// A poster posts to a Webhook.
type poster struct {
	*testing.T
	address string
}

func (p poster) do(method, query, body string, header ...string) (status int, text string, h http.Header) {
	p.Helper()
	q, err := http.NewRequestWithContext(p.Context(), method, p.address+query, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		p.Fatal(err)
	}
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	return a.StatusCode, string(b), a.Header
}

// startWebhook runs a Webhook at path feed/store, whose token is in a file.
func startWebhook(t *testing.T) (*Webhook, poster) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, ok := open(t, "webhook:store?token-file="+file).(*Webhook)
	if !ok || s.Path != "feed/store" {
		t.Fatalf("%+v", s)
	}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return s, poster{t, web.URL}
}

func TestAWebhook(t *testing.T) {
	s, p := startWebhook(t)
	if status, _, _ := p.do("POST", "?token="+token, event("early")); status != http.StatusServiceUnavailable {
		t.Errorf("before it listens: %d", status)
	}
	l := listenTo(t, s)
	l.wants(remote.Everything())
	basic := &http.Request{Header: http.Header{}}
	basic.SetBasicAuth("sns", token)
	for _, way := range [][]string{
		{"?token=" + token}, {"", "Authorization", "Bearer " + token}, {"", "Authorization", token}, {"", "Authorization", basic.Header.Get("Authorization")},
	} {
		if status, text, _ := p.do("POST", way[0], event("f"), way[1:]...); status != http.StatusOK {
			t.Errorf("%q: %d %s", way, status, text)
		}
		l.wants(stored("f")) // it is told before the answer
	}
	for _, way := range [][]string{
		{""}, {"?token="}, {"?token=" + token + "0"}, {"", "Authorization", "Bearer"}, {"", "Authorization", "Basic " + token},
	} {
		if status, text, _ := p.do("POST", way[0], event("f"), way[1:]...); status != http.StatusUnauthorized || strings.Contains(text, token) {
			t.Errorf("%q: %d %s", way, status, text)
		}
	}
	if status, _, _ := p.do("GET", "?token="+token, ""); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", status)
	}
	if status, _, _ := p.do("POST", "?token="+token, strings.Repeat(" ", maxPosted+1)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a long one: %d", status)
	}
	if status, _, _ := p.do("POST", "?token="+token, "hello"); status != http.StatusOK || l.feed.Status().Results[feed.Unreadable] != 1 {
		t.Errorf("what is no notification: %d", status)
	}
	l.wantsNothing()
}

func TestSendersThatBegin(t *testing.T) {
	s, p := startWebhook(t)
	l := listenTo(t, s)
	l.wants(remote.Everything())
	until(t, "it is not ready", func() bool { return s.feed.Load() != nil })
	status, text, _ := p.do("POST", "?token="+token, `[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d38b6"}}]`)
	if status != http.StatusOK || strings.TrimSpace(text) != `{"validationResponse":"512d38b6"}` {
		t.Errorf("Event Grid begins: %d %s", status, text)
	}
	status, _, header := p.do("OPTIONS", "?token="+token, "", "WebHook-Request-Origin", "eventgrid.azure.net")
	if status != http.StatusOK || header.Get("WebHook-Allowed-Origin") != "eventgrid.azure.net" || header.Get("WebHook-Allowed-Rate") != "*" {
		t.Errorf("CloudEvents begin: %d %v", status, header)
	}
	status, _, _ = p.do("POST", "?token="+token, `{"Type":"SubscriptionConfirmation","SubscribeURL":"https://sns.example.org/x"}`)
	if status != http.StatusBadRequest {
		t.Errorf("an address that is none of SNS is called: %d", status)
	}
	l.wantsNothing()
}

func TestIsSNS(t *testing.T) {
	for address, want := range map[string]bool{
		"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t": true, "https://sns.cn-north-1.amazonaws.com.cn/": true,
		"http://sns.eu-west-1.amazonaws.com/": false, "https://sns.eu-west-1.amazonaws.com.example.org/": false, "https://127.0.0.1/": false,
		"https://sns.eu-west-1.amazonaws.com:8080/": false, "https://sns.eu-west-1.amazonaws.com@127.0.0.1/": false, "%": false,
	} {
		if got := isSNS(address); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

func TestSourcesThatCannotBe(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none"))
	t.Setenv("PUBSUB_EMULATOR_HOST", "")
	t.Setenv("AZURE_STORAGE_KEY", "not base64!")
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "")
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"sqs://queue.example.org/1/q":            "region",
		"pubsub://p/s":                           "GOOGLE_APPLICATION_CREDENTIALS",
		"pubsub://p/s?credentials=" + short:      "JSON key",
		"pubsub://p/s?credentials=/does/not/be":  "no such file",
		"azqueue://account/q":                    "AZURE_STORAGE_KEY",
		"webhook:?token-file=" + short:           "at least 16",
		"webhook:?token-file=" + short + "-none": "no such file",
	} {
		u, err := feed.ParseURL(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(u, network.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
