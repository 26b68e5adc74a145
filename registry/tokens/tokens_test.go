package tokens

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"ferry/remote"
)

// A provider grants tokens: each refresh token once. It is an http.RoundTripper, so that no network
// is needed.
type provider struct {
	mu      sync.Mutex
	valid   string // refresh token
	granted int
	asked   int
	answer  func(w http.ResponseWriter) // in place of a token
	slow    time.Duration
}

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.slow > 0 {
		select {
		case <-time.After(p.slow):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	p.asked++
	err := r.ParseForm()
	switch {
	case p.answer != nil:
		p.answer(w)
	case err != nil || r.Form.Get("client_id") != "id" || r.Form.Get("client_secret") != "hunter2":
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_client"}`)
	case r.Form.Get("grant_type") == "client_credentials":
		p.granted++
		fmt.Fprintf(w, `{"access_token":"a%d","token_type":"Bearer","expires_in":3600}`, p.granted)
	case r.Form.Get("refresh_token") != p.valid:
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid_grant","error_description":"not %s"}`, r.Form.Get("refresh_token"))
	default:
		p.granted++
		p.valid = fmt.Sprintf("r%d-secret", p.granted)
		fmt.Fprintf(w, `{"access_token":"a%d-secret","token_type":"Bearer","refresh_token":%q,"expires_in":3600}`, p.granted, p.valid)
	}
	return w.Result(), nil
}

// text is a token that the provider takes for its own, which ends in a while.
func (p *provider) text(left time.Duration) string {
	return Format(&oauth2.Token{AccessToken: "a0-secret", RefreshToken: p.valid, Expiry: time.Now().Add(left)})
}

// A kept token is that of a file.
type kept struct {
	mu   sync.Mutex
	text string
	err  error
}

func (k *kept) update(_ context.Context, change func(string) (string, error)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return k.err
	}
	next, err := change(k.text)
	if err == nil {
		k.text = next
	}
	return err
}

func options(p *provider, k *kept) Options {
	o := Options{
		Remote: "cloud{abcde}", Token: k.text, HTTP: &http.Client{Transport: p},
		Config: oauth2.Config{ClientID: "id", ClientSecret: "hunter2", Endpoint: oauth2.Endpoint{TokenURL: "http://p/secret", AuthStyle: oauth2.AuthStyleInParams}},
	}
	o.Update = k.update
	return o
}

func open(t *testing.T, o Options) oauth2.TokenSource {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func access(t *testing.T, s oauth2.TokenSource) string {
	t.Helper()
	token, err := s.Token()
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

// checkError looks at an error that a person reads.
func checkError(t *testing.T, err error, permanent bool, want string) {
	t.Helper()
	if err == nil {
		t.Error("there is no error")
		return
	}
	text := err.Error()
	if !strings.Contains(text, want) || strings.Contains(text, "-secret") || strings.Contains(text, "hunter2") || strings.Contains(text, "\n") {
		t.Errorf("the error is %q, without %q or with a secret", text, want)
	}
	if errors.Is(err, remote.ErrPermission) != permanent || remote.Permanent(err) != permanent {
		t.Errorf("%v: it is permanent: %t, want %t", err, !permanent, permanent)
	}
}

// Whoever needs a token while it has ended waits for one refresh, and all for the same.
func TestManyCallersShareARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{valid: "r0-secret", slow: time.Second}
		k := &kept{text: p.text(-time.Minute)}
		s := open(t, options(p, k))
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if got := access(t, s); got != "a1-secret" {
					t.Errorf("got %s", got)
				}
			})
		}
		wg.Wait()
		if p.asked != 1 {
			t.Errorf("the provider was asked %d times", p.asked)
		}
		var stored oauth2.Token
		if err := json.Unmarshal([]byte(k.text), &stored); err != nil || stored.RefreshToken != "r1-secret" || stored.AccessToken != "a1-secret" ||
			!stored.Expiry.After(time.Now().Add(50*time.Minute)) {
			t.Errorf("stored is %s", k.text)
		}
	})
}

// Ahead of the end one caller refreshes, and the others go on with what is valid; where the
// provider cannot be reached all go on, and it is not asked all the time.
func TestARefreshAheadOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{valid: "r0-secret", slow: time.Second}
		k := &kept{text: p.text(time.Hour)}
		s := open(t, options(p, k))
		if got := access(t, s); got != "a0-secret" || p.asked != 0 {
			t.Fatalf("got %s after %d requests", got, p.asked)
		}
		time.Sleep(time.Hour - early + time.Second)
		var wg sync.WaitGroup
		wg.Go(func() {
			if got := access(t, s); got != "a1-secret" {
				t.Errorf("the one who refreshes got %s", got)
			}
		})
		synctest.Wait()
		start := time.Now()
		if got := access(t, s); got != "a0-secret" || time.Since(start) != 0 {
			t.Errorf("another got %s after %v", got, time.Since(start))
		}
		wg.Wait()

		time.Sleep(time.Hour - early + time.Second)
		p.answer = func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }
		before := p.asked
		for range 3 {
			if got := access(t, s); got != "a1-secret" {
				t.Errorf("got %s", got)
			}
		}
		if p.asked != before+1 {
			t.Errorf("the provider was asked %d times", p.asked-before)
		}
		time.Sleep(early)
		_, err := s.Token()
		checkError(t, err, false, "cannot be refreshed now")
		p.answer = nil
		if got := access(t, s); got != "a2-secret" {
			t.Errorf("got %s", got)
		}
	})
}

func TestErrorsSayWhatToDo(t *testing.T) {
	p := &provider{valid: "r0-secret"}
	past := p.text(-time.Hour)
	for want, o := range map[string]Options{
		"has no token of a login":               {},
		"no client_id to refresh it with":       {Token: past},
		"make a client there, then log in":      {Token: past, Advice: "make a client there"},
		"it has no token of a login: log in by": {Token: ""},
		"token that is not the JSON of one":     {Token: `{"secret":1}`},
	} {
		o.Remote = "cloud"
		_, err := New(o)
		checkError(t, err, true, want)
		checkError(t, err, true, "ferry config reconnect cloud:")
	}
	_, err := New(Options{Remote: ":drive{abcde}"}) // which is in no file
	checkError(t, err, true, "ferry config create NAME drive")
	for _, c := range []struct {
		status    int
		body      string
		permanent bool
		want      string
	}{
		{400, `{"error":"invalid_grant","error_description":"r0-secret"}`, true, "ferry config reconnect cloud:"},
		{401, `{"error":"invalid_client"}`, true, "client_id and client_secret"},
		{500, `{"error":"internal_failure"}`, false, "internal_failure"},
		{503, `secret`, false, "status 503"},
		{429, `{"error":"secret secret"}`, false, "now"},
		{400, `{"error":"temporarily_unavailable"}`, false, "now"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &provider{valid: "r0-secret", answer: func(w http.ResponseWriter) {
				w.WriteHeader(c.status)
				fmt.Fprint(w, strings.ReplaceAll(c.body, "secret secret", "busy"))
			}}
			_, err := open(t, options(p, &kept{text: p.text(-time.Hour)})).Token()
			checkError(t, err, c.permanent, c.want)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		p := &provider{valid: "r0-secret", slow: 10 * limit}
		start := time.Now()
		_, err := open(t, options(p, &kept{text: p.text(-time.Hour)})).Token()
		checkError(t, err, false, "cannot be refreshed")
		if took := time.Since(start); took != limit {
			t.Errorf("it took %v", took)
		}
	})
}

// Another program has refreshed the token, and the provider takes the old one no more.
func TestTheNewestTokenCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{valid: "r0-secret"}
		k := &kept{text: p.text(time.Minute)}
		first, second := open(t, options(p, k)), open(t, options(p, k))
		if got := access(t, first); got != "a1-secret" {
			t.Errorf("got %s", got)
		}
		if got := access(t, second); got != "a1-secret" || p.asked != 1 {
			t.Errorf("the second got %s, after %d requests", got, p.asked)
		}
		time.Sleep(2 * time.Hour)
		for _, s := range []oauth2.TokenSource{second, first} {
			if got := access(t, s); got != "a2-secret" || p.asked != 2 {
				t.Errorf("got %s, after %d requests", got, p.asked)
			}
		}

		// A program that does not lock writes the old token over the new one.
		time.Sleep(2 * time.Hour)
		old := k.text
		access(t, first)
		k.text = old
		time.Sleep(2 * time.Hour)
		if got := access(t, first); got != "a4-secret" {
			t.Errorf("got %s", got)
		}
	})
}

// A program that does not lock has refreshed the token, and writes it a little later.
func TestATokenThatIsRefusedIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{valid: "r0-secret"}
		k := &kept{text: p.text(-time.Minute)}
		s := open(t, options(p, k))
		p.valid = "r9-secret"
		late := Format(&oauth2.Token{AccessToken: "a9-secret", RefreshToken: "r9-secret", Expiry: time.Now().Add(time.Hour)})
		time.AfterFunc(pause+pause/2, func() {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.text = late
		})
		if got := access(t, s); got != "a9-secret" || p.asked != 1 {
			t.Errorf("got %s after %d requests", got, p.asked)
		}
	})
}

// Somebody logs in again while the server runs; until then the provider is asked once.
func TestALoginThatEndsAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{valid: "r0-secret"}
		k := &kept{text: p.text(-time.Minute)}
		s := open(t, options(p, k))
		p.valid = "gone"
		for range 3 {
			_, err := s.Token()
			checkError(t, err, true, "ferry config reconnect cloud:")
		}
		if p.asked != 1 {
			t.Errorf("the provider was asked %d times", p.asked)
		}
		k.text = Format(&oauth2.Token{AccessToken: "b-secret", RefreshToken: "gone", Expiry: time.Now().Add(time.Hour)})
		if got := access(t, s); got != "b-secret" {
			t.Errorf("got %s", got)
		}
	})
}

func TestTokensThatCannotBeStored(t *testing.T) {
	for name, change := range map[string]func(o *Options, k *kept){
		"nowhere":    func(o *Options, _ *kept) { o.Update = nil },
		"unreadable": func(_ *Options, k *kept) { k.err = errors.New("disk full") },
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &provider{valid: "r0-secret"}
			k := &kept{text: p.text(time.Minute)}
			o, told := options(p, k), 0
			o.Warn = func(message string, args ...any) {
				told++
				if text := fmt.Sprint(message, args); strings.Contains(text, "secret") || !strings.Contains(text, "cloud") {
					t.Errorf("%s: the warning is %s", name, text)
				}
			}
			change(&o, k)
			s := open(t, o)
			for _, want := range []string{"a1-secret", "a2-secret"} {
				if got := access(t, s); got != want {
					t.Errorf("%s: got %s, want %s", name, got, want)
				}
				time.Sleep(2 * time.Hour)
			}
			if told != 1 {
				t.Errorf("%s: %d warnings", name, told)
			}
		})
	}
}

func TestAClientThatLogsInAsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		o := options(p, &kept{text: "not read"})
		o.AsClient, o.Token = true, ""
		s := open(t, o)
		for _, want := range []string{"a1", "a1", "a2"} {
			if got := access(t, s); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			time.Sleep(time.Hour / 2)
		}
	})
}
