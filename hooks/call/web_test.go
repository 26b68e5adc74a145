package call

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ferry/events"
)

// stored is an event with everything that an upload on a remote has.
func stored() *events.Event {
	return &events.Event{
		Kind: events.UploadStored, ID: "01k", Time: time.Date(2026, 11, 30, 1, 2, 3, 0, time.UTC), Session: 7, User: "bob",
		Address: netip.MustParseAddrPort("192.0.2.1:4000"), TLS: "1.3", Path: "/in/a.csv", Before: []string{"/in/a.csv.part"},
		Remote: "s3", Name: "bucket/in/a.csv", Size: 0, Duration: 1500 * time.Millisecond, Digest: "md5:d41d", Version: "e1", Overwrote: true,
	}
}

// An asked is a request that a receiver got.
type asked struct {
	header http.Header
	body   string
}

func receiver(t *testing.T, answer http.HandlerFunc) (*httptest.Server, <-chan asked) {
	t.Helper()
	got := make(chan asked, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- asked{r.Header, string(body)}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s, got
}

func newCaller(t *testing.T, o Options) *Caller {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestPost(t *testing.T) {
	s, got := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"path": "/in/b.csv", "message": "moved"}`)
	})
	c := newCaller(t, Options{URL: s.URL + "/hook", Source: "ftp://example.org", Secrets: []string{"whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 24)), "an older secret of many bytes"}})
	answer, err := c.Call(t.Context(), Message{Name: "upload.stored", Event: stored()})
	if err != nil || answer.Path != "/in/b.csv" || answer.Message != "moved" {
		t.Fatalf("answer %+v, %v", answer, err)
	}
	a := <-got
	want := `{"specversion":"1.0","id":"01k","source":"ftp://example.org","type":"dev.ferry.upload.stored","subject":"/in/a.csv",` +
		`"time":"2026-11-30T01:02:03Z","datacontenttype":"application/json","data":{"user":"bob","address":"192.0.2.1:4000","session":7,"tls":"1.3",` +
		`"path":"/in/a.csv","previous_names":["/in/a.csv.part"],"remote":"s3","remote_path":"bucket/in/a.csv","size":0,"duration_s":1.5,"md5":"d41d",` +
		`"version":"e1","overwrote":true,"result":"ok"}}`
	if a.body != want {
		t.Errorf("sent\n%s\nnot\n%s", a.body, want)
	}
	if got := a.header.Get("Content-Type"); got != "application/cloudevents+json; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	if a.header.Get("webhook-id") != "01k" || len(strings.Fields(a.header.Get("webhook-signature"))) != 2 {
		t.Errorf("headers %v", a.header)
	}
}

// The example of the specification of Standard Webhooks.
func TestSignature(t *testing.T) {
	c := newCaller(t, Options{URL: "http://localhost/", Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}})
	got, err := c.signatures("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), func(w io.Writer) error {
		_, err := io.WriteString(w, `{"test": 2432232314}`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signed %q, not %q", got, want)
	}
}

func TestSecretsAreChecked(t *testing.T) {
	for _, bad := range []string{"", "short", "whsec_!!!", "whsec_c2hvcnQ="} {
		err := CheckSecret(bad)
		if err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAnswersOfAddresses(t *testing.T) {
	for name, tt := range map[string]struct {
		status        int
		header, value string
		refused, gone bool
		after         time.Duration
		text          string
	}{
		"accepted":      {status: 202},
		"no content":    {status: 204},
		"no":            {status: 403, refused: true, text: `403 Forbidden: it says "not here"`},
		"gone":          {status: 410, gone: true, refused: true, text: "410"},
		"too many":      {status: 429, header: "Retry-After", value: "7", after: 7 * time.Second, text: "429"},
		"for years":     {status: 429, header: "Retry-After", value: "99999999999", after: mostWait, text: "429"},
		"unavailable":   {status: 503, header: "Retry-After", value: "Mon, 02 Jan 2006 15:04:05 GMT", text: "503"},
		"broken":        {status: 500, text: "500"},
		"elsewhere":     {status: 302, header: "Location", value: "/other", text: "no redirect is followed"},
		"wrong address": {status: 404, text: "404"},
	} {
		t.Run(name, func(t *testing.T) {
			s, got := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
				if tt.header != "" {
					w.Header().Set(tt.header, tt.value)
				}
				w.WriteHeader(tt.status)
				if tt.status != 204 {
					fmt.Fprint(w, `{"message": "not here"}`)
				}
			})
			c := newCaller(t, Options{URL: s.URL})
			_, err := c.Call(t.Context(), Message{Name: "delete", Event: &events.Event{Kind: events.Delete}})
			if len(got) != 1 {
				t.Errorf("%d requests", len(got))
			}
			bad := (*Error)(nil)
			if errors.As(err, &bad) != (tt.text != "") {
				t.Fatalf("%v", err)
			}
			if bad != nil && (bad.Refused != tt.refused || bad.Gone != tt.gone || bad.RetryAfter != tt.after || !strings.Contains(err.Error(), tt.text)) {
				t.Errorf("%+v", bad)
			}
		})
	}
}

// A batch is an array, and has the same id whenever it is sent.
func TestBatch(t *testing.T) {
	s, got := receiver(t, func(http.ResponseWriter, *http.Request) {})
	c := newCaller(t, Options{URL: s.URL})
	two := []Message{{Name: "delete", Event: &events.Event{ID: "1"}}, {Name: "delete", Event: &events.Event{ID: "2"}}}
	var ids []string
	for range 2 {
		if _, err := c.Call(t.Context(), two...); err != nil {
			t.Fatal(err)
		}
		a := <-got
		var list []cloudEvent
		if err := json.Unmarshal([]byte(a.body), &list); err != nil || len(list) != 2 || list[1].ID != "2" {
			t.Errorf("sent %s: %v", a.body, err)
		}
		if !strings.HasPrefix(a.header.Get("Content-Type"), "application/cloudevents-batch+json") {
			t.Errorf("content type %q", a.header.Get("Content-Type"))
		}
		ids = append(ids, a.header.Get("webhook-id"))
	}
	if ids[0] != ids[1] || ids[0] == "" {
		t.Errorf("ids %q", ids)
	}
}

func TestAddressesThatGiveNoAnswer(t *testing.T) {
	hang, _ := receiver(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	cut, _ := receiver(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for name, address := range map[string]string{"hangs": hang.URL, "cuts": cut.URL, "is not there": "http://bob:pa55word@127.0.0.1:1/"} {
		c := newCaller(t, Options{URL: address, Timeout: 200 * time.Millisecond})
		_, err := c.Call(t.Context(), Message{Name: "delete", Event: &events.Event{}})
		if bad := (*Error)(nil); !errors.As(err, &bad) || bad.Refused || strings.Contains(err.Error(), "pa55word") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := newCaller(t, Options{URL: hang.URL})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Call(ctx, Message{Name: "delete", Event: &events.Event{}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A receiver that answers without end is read up to a bound.
func TestAnswersAreBounded(t *testing.T) {
	s, _ := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 4 << 20 / 1024 {
			if _, err := w.Write(make([]byte, 1024)); err != nil {
				return
			}
		}
	})
	answer, err := newCaller(t, Options{URL: s.URL}).Call(t.Context(), Message{Name: "delete", Event: &events.Event{}})
	if err != nil || len(answer.Body) != maxAnswer {
		t.Errorf("%d bytes, %v", len(answer.Body), err)
	}
}

func TestAWS(t *testing.T) {
	c := newCaller(t, Options{URL: "http://localhost/", Format: "aws", Source: "ftp://example.org"})
	body := func(e *events.Event) string {
		text, _, err := c.body([]Message{{Name: e.Kind.String(), Event: e}})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, want := range []string{`"detail-type":"FTPS Server File Upload Completed"`, `"file-path":"/in/a.csv"`, `"bytes":0`, `"etag":"e1"`,
		`"status-code":"COMPLETED"`, `"start-timestamp":"2026-11-30T01:02:01.5Z"`, `"client-ip":"192.0.2.1"`} {
		if got := body(stored()); !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	renamed := body(&events.Event{Kind: events.Rename, Path: "/a", To: "/b"})
	if !strings.Contains(renamed, `"detail-type":"FTP Server File Rename Completed"`) || strings.Contains(renamed, "bytes") ||
		!strings.Contains(renamed, `"original-file-path":"/a","renamed-file-path":"/b"`) {
		t.Errorf("renamed: %s", renamed)
	}
	cut := body(&events.Event{Kind: events.UploadAborted, Path: "/a", Bytes: 5, Result: events.Aborted, Cause: "lost"})
	if !strings.Contains(cut, `"failure-code":"PARTIAL_UPLOAD","failure-message":"lost"`) || !strings.Contains(cut, "File Upload Failed") {
		t.Errorf("cut: %s", cut)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]Options{
		"nothing": {}, "both": {URL: "http://localhost/", Program: []string{"true"}}, "no program": {Program: []string{"/no/such/program"}},
		"no address": {URL: "ftp://bob:pa55word@host/"}, "no secret": {URL: "http://localhost/", Secrets: []string{"x"}},
	} {
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "pa55word") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
