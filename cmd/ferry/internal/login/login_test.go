package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"ferry/registry/tokens"
	"ferry/remote/remotetest/servers/oauthserver"
)

// A person reads what is said, and has a browser.
type person struct {
	t    *testing.T
	mu   sync.Mutex
	said strings.Builder
}

func (p *person) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(&p.said, format+"\n", args...)
}

// link returns the link that the person was told.
func (p *person) link() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(p.said.String()) {
		if strings.HasPrefix(line, "http") {
			return strings.TrimSpace(line)
		}
	}
	p.t.Errorf("there is no link in %q", p.said.String())
	return ""
}

// last opens a page, and returns the address that the browser is sent to last, with the page there
// if it can be reached.
func (p *person) last(address string) (last, page string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		last = r.URL.String()
		return nil
	}
	answer, err := client.Get(address)
	if err != nil {
		return last, ""
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Error(err)
	}
	return last, string(body)
}

func options(s *oauthserver.Server, p *person) Options {
	return Options{
		Config: oauth2.Config{
			ClientID: oauthserver.ClientID, ClientSecret: oauthserver.ClientSecret, Scopes: []string{"files"}, RedirectURL: "http://127.0.0.1:0/",
			Endpoint: oauth2.Endpoint{
				AuthURL: s.AuthURL(), TokenURL: s.TokenURL(), DeviceAuthURL: strings.Replace(s.TokenURL(), "/token", "/devicecode", 1),
				AuthStyle: oauth2.AuthStyleInParams,
			},
		},
		HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		Say:  p.say,
	}
}

// good wants the token of a login, of which the person has seen nothing.
func good(t *testing.T, s *oauthserver.Server, p *person, token *oauth2.Token, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if !s.Alive(token.RefreshToken) || !token.Valid() {
		t.Error("the token is not of use")
	}
	if strings.Contains(p.said.String(), oauthserver.Mark) {
		t.Errorf("a secret is shown: %s", p.said.String())
	}
}

func bad(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Error("the login succeeds")
		return
	}
	if text := err.Error(); !strings.Contains(text, want) || strings.Contains(text, oauthserver.Mark) || strings.Contains(text, "hunter2") || strings.Contains(text, "\n") {
		t.Errorf("the error is %q, without %q or with a secret", text, want)
	}
}

func TestTheBrowserComesBack(t *testing.T) {
	t.Parallel()
	s, p := oauthserver.Start(t), &person{t: t}
	o := options(s, p)
	var wg sync.WaitGroup
	var page, other string
	o.Browse = func(address string) error {
		wg.Go(func() {
			at, err := url.Parse(address)
			if err != nil {
				t.Error(err)
			}
			forged := at.Query().Get("redirect_uri") + "?code=x&state=guessed"
			_, other = p.last(forged) // it does not end the login
			_, page = p.last(address)
		})
		return nil
	}
	token, err := Run(t.Context(), o)
	wg.Wait()
	good(t, s, p, token, err)
	if !strings.Contains(page, "You are logged in") || !strings.Contains(other, "not the answer") || strings.Contains(page+other, oauthserver.Mark) {
		t.Errorf("the pages are %q and %q", page, other)
	}
}

func TestTheBrowserIsElsewhere(t *testing.T) {
	t.Parallel()
	for _, reachable := range []bool{false, true} {
		s, p := oauthserver.Start(t), &person{t: t}
		o := options(s, p)
		o.Elsewhere, o.Remote = !reachable, "ferry authorize x"
		o.Config.RedirectURL = "http://127.0.0.1:1/"
		if reachable {
			o.Config.RedirectURL = "http://127.0.0.1:0/"
		}
		answers := []string{"nonsense", o.Config.RedirectURL + "?code=1&state=of-another-login", ""}
		o.Ask = func(ctx context.Context, _ string) (string, error) {
			if len(answers) > 1 {
				answers = answers[1:]
				return answers[0], nil
			}
			last, _ := p.last(p.link())
			if reachable { // the browser has come back, through a tunnel, say
				<-ctx.Done()
				return "", ctx.Err()
			}
			return " " + last + "\n", nil
		}
		token, err := Run(t.Context(), o)
		good(t, s, p, token, err)
		if !strings.Contains(p.said.String(), "ferry authorize x") || !strings.Contains(p.said.String(), "neither the address") {
			t.Errorf("it is said: %s", p.said.String())
		}
	}
}

func TestWhatIsPastedFromElsewhere(t *testing.T) {
	t.Parallel()
	s := oauthserver.Start(t)
	for _, form := range []func(token string) string{
		func(token string) string { return token },
		func(token string) string { return Blob(map[string]string{"token": token}) },
		func(token string) string { return Blob(map[string]string{"token": token}) + "==" },
	} {
		p := &person{t: t}
		o := options(s, p)
		o.Elsewhere = true
		o.Ask = func(context.Context, string) (string, error) { return form(s.Token(time.Hour)), nil }
		token, err := Run(t.Context(), o)
		good(t, s, p, token, err)
		if again, err := ReadToken(tokens.Format(token)); err != nil || again.RefreshToken != token.RefreshToken {
			t.Errorf("what is printed is not read: %v", err)
		}
	}
	_, err := ReadToken(`{"access_token":"` + oauthserver.Mark)
	bad(t, err, "neither the address")
}

func TestACodeOnADevice(t *testing.T) {
	t.Parallel()
	s, p := oauthserver.Start(t), &person{t: t}
	o := options(s, p)
	o.Say = func(format string, args ...any) {
		p.say(format, args...)
		time.AfterFunc(time.Millisecond, s.Approve)
	}
	token, err := Device(t.Context(), o)
	good(t, s, p, token, err)
	if !strings.Contains(p.said.String(), "https://device.example.org") || !strings.Contains(p.said.String(), "ABCD-EFGH") {
		t.Errorf("it is said: %s", p.said.String())
	}
	o.Config.ClientID = "nobody"
	_, err = Device(t.Context(), o)
	bad(t, err, "client_id and client_secret")
}

// One lost connection does not end what somebody has begun to type.
func TestAProviderThatDoesNotAnswerADevice(t *testing.T) {
	t.Parallel()
	s, p := oauthserver.Start(t), &person{t: t}
	s.Polls = []string{"", "approved"}
	token, err := Device(t.Context(), options(s, p))
	good(t, s, p, token, err)
	if !strings.Contains(p.said.String(), "asked again") || s.Hasty() > 0 {
		t.Errorf("it is said: %s; asked too soon %d times", p.said.String(), s.Hasty())
	}
	gone := options(s, p)
	gone.Config.Endpoint.DeviceAuthURL = "http://127.0.0.1:1/"
	_, err = Device(t.Context(), gone)
	bad(t, err, "cannot be reached")
}

// Nobody types the code, or somebody interrupts.
func TestACodeThatNobodyTypes(t *testing.T) {
	t.Parallel()
	s, p := oauthserver.Start(t), &person{t: t}
	s.CodeLife = 2 * time.Second
	_, err := Device(t.Context(), options(s, p))
	bad(t, err, "has expired")
	interrupted, cancel := context.WithCancelCause(t.Context())
	o := options(s, p)
	o.Say = func(string, ...any) { cancel(errors.New("interrupted")) }
	_, err = Device(interrupted, o)
	bad(t, err, "interrupted")
}

func TestLoginsThatFail(t *testing.T) {
	t.Parallel()
	interrupted := errors.New("interrupted")
	for want, change := range map[string]func(o *Options, s *oauthserver.Server){
		"access was denied":           func(_ *Options, s *oauthserver.Server) { s.Deny() },
		"client_id and client_secret": func(o *Options, _ *oauthserver.Server) { o.Config.ClientSecret = "wrong" },
		"cannot be reached":           func(o *Options, _ *oauthserver.Server) { o.Config.Endpoint.TokenURL = "http://127.0.0.1:1/" },
		"is in use":                   func(o *Options, s *oauthserver.Server) { o.Config.RedirectURL = s.URL + "/" },
		"config_token=TOKEN":          func(o *Options, _ *oauthserver.Server) { o.Elsewhere = true },
		"interrupted": func(o *Options, _ *oauthserver.Server) {
			o.Browse = nil
			o.Ask = func(context.Context, string) (string, error) { return "", interrupted }
		},
		"too late": func(o *Options, _ *oauthserver.Server) { o.Browse = func(string) error { return nil } },
	} {
		s, p := oauthserver.Start(t), &person{t: t}
		o := options(s, p)
		var wg sync.WaitGroup
		o.Browse = func(address string) error {
			wg.Go(func() { p.last(address) })
			return nil
		}
		change(&o, s)
		ctx := t.Context()
		if want == "too late" {
			late, cancel := context.WithCancelCause(ctx)
			cancel(errors.New("too late"))
			ctx = late
		}
		_, err := Run(ctx, o)
		wg.Wait()
		bad(t, err, want)
	}
}

func TestABrowserIsFound(t *testing.T) {
	t.Parallel()
	env := map[string]string{"BROWSER": "sh", "SSH_CONNECTION": "x"}
	if Browser(func(name string) string { return env[name] }) == nil {
		t.Error("the program that BROWSER names is not used")
	}
	delete(env, "BROWSER")
	if Browser(func(name string) string { return env[name] }) != nil {
		t.Error("a browser opens where nobody sits")
	}
}
