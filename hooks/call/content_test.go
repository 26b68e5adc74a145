package call

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// An address gets the whole file as the body, signed, and what it is about in headers.
func TestContentIsPosted(t *testing.T) {
	const secret = "0123456789abcdef0123"
	var header http.Header
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
		if strings.Contains(string(body), "bad") {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"message":"It is bad.","reply":552}`)
		}
	}))
	defer s.Close()
	c := newCaller(t, Options{URL: s.URL, Secrets: []string{secret}, Source: "ferry:test"})
	for _, content := range []string{"", "good", strings.Repeat("g", 3<<20)} {
		if _, err := c.Call(t.Context(), message(t, content)); err != nil {
			t.Fatal(err)
		}
		if string(body) != content {
			t.Errorf("%d bytes came of %d", len(body), len(content))
		}
		for name, want := range map[string]string{
			"Content-Type": "application/octet-stream", "Ce-Specversion": "1.0", "Ce-Type": "dev.ferry.check", "Ce-Id": "1", "Ce-Source": "ferry:test",
			"Ce-Subject": "/in/%C3%A9%20%22x%22", "Ce-User": "bob", "Webhook-Id": "1",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s is %q, not %q", name, got, want)
			}
		}
		mac := hmac.New(sha256.New, []byte(secret))
		io.WriteString(mac, "1."+header.Get("Webhook-Timestamp")+"."+content)
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); header.Get("Webhook-Signature") != want {
			t.Errorf("signed %q, not %q", header.Get("Webhook-Signature"), want)
		}
	}
	_, err := c.Call(t.Context(), message(t, "bad"))
	if no := (*Error)(nil); !errors.As(err, &no) || !no.Refused || no.Message != "It is bad." {
		t.Errorf("the answer no is %v", err)
	}
}
