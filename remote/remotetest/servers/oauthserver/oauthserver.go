// Package oauthserver is a double of an OAuth provider, written from RFC 6749, 7636 and 8628: it
// checks clients, redirect addresses, codes, PKCE, and takes each refresh token once. It has what
// remotes ask of Microsoft and Google after a login, too, and empty buckets.
package oauthserver

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// The client that the provider knows.
const (
	ClientID     = "the-client"
	ClientSecret = "client-hunter2"
)

// Mark is in every code and token that is granted, so that tests find out where one shows.
const Mark = "t0p-s3cr3t"

// A Server is a provider on loopback. Its fields are set before it is used.
type Server struct {
	URL      string
	Life     time.Duration // of access tokens; 0 = an hour
	Grace    time.Duration // after a refresh, while the old refresh token still does; 0 = none
	Drives   []string      // names of drives that the person has besides the own one
	CodeLife time.Duration // of the codes of devices; 0 = a quarter of an hour
	// Polls are what devices that ask for a token are told first, one each: an error such as
	// "slow_down", "approved" where the code is typed by then, or "" for a connection that is lost.
	Polls []string

	t      testing.TB
	mu     sync.Mutex
	denied bool
	codes  map[string]code
	tokens map[string]*grant // refresh tokens
	access map[string]time.Time
	device map[string]*device // by code
	asked  int
	reused int
	hasty  int
}

type code struct{ challenge, redirect string }

// A grant is a refresh token.
type grant struct{ until time.Time } // zero = it was not used yet

// Start starts a provider that ends with the test. Whoever opens its page is logged in at once.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, codes: map[string]code{}, tokens: map[string]*grant{}, access: map[string]time.Time{}, device: map[string]*device{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /oauth2/v2.0/authorize", s.authorize)
	mux.HandleFunc("POST /oauth2/v2.0/token", s.token)
	mux.HandleFunc("POST /oauth2/v2.0/devicecode", s.deviceCode)
	mux.HandleFunc("GET /v1.0/me/drive", s.signed(func(w http.ResponseWriter) {
		fmt.Fprint(w, `{"id":"own-id","driveType":"personal","name":"OneDrive"}`)
	}))
	mux.HandleFunc("GET /v1.0/me/drives", s.signed(func(w http.ResponseWriter) { s.list(w, "value", `{"id":"own-id","driveType":"personal"}`) }))
	mux.HandleFunc("GET /drive/v3/drives", s.signed(func(w http.ResponseWriter) { s.list(w, "drives", "") }))
	empty := s.signed(func(w http.ResponseWriter) { fmt.Fprint(w, `{"kind":"storage#objects","items":[]}`) })
	mux.HandleFunc("GET /storage/v1/b/{bucket}/o", empty)
	mux.HandleFunc("GET /b/{bucket}/o", empty) // rclone's idea of an endpoint
	mux.HandleFunc("GET /storage/v1/b/{bucket}", empty)
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	s.URL = web.URL
	return s
}

// AuthURL is where browsers are sent, TokenURL where tokens are granted.
func (s *Server) AuthURL() string { return s.URL + "/oauth2/v2.0/authorize" }

// TokenURL is where tokens are granted.
func (s *Server) TokenURL() string { return s.URL + "/oauth2/v2.0/token" }

// Options returns what the options of a remote say of this provider.
func (s *Server) Options() map[string]string {
	return map[string]string{"client_id": ClientID, "client_secret": ClientSecret, "auth_url": s.AuthURL(), "token_url": s.TokenURL()}
}

// Deny has the person refuse from now on.
func (s *Server) Deny() { s.locked(func() { s.denied = true }) }

// Approve types the codes of all devices.
func (s *Server) Approve() {
	s.locked(func() {
		for _, d := range s.device {
			d.approved = true
		}
	})
}

// Hasty returns how often a device asked sooner than it may.
func (s *Server) Hasty() (n int) {
	s.locked(func() { n = s.hasty })
	return n
}

// Asked returns how many tokens were asked for, and how many of those with a refresh token that was
// used before.
func (s *Server) Asked() (all, reused int) {
	s.locked(func() { all, reused = s.asked, s.reused })
	return all, reused
}

// Token grants a token outside of any login, as the JSON of a configuration, which ends in a while.
func (s *Server) Token(left time.Duration) string {
	var text []byte
	s.locked(func() {
		a, r := s.grant(left)
		text, _ = json.Marshal(map[string]any{"access_token": a, "token_type": "Bearer", "refresh_token": r, "expiry": time.Now().Add(left)}) // strings
	})
	return string(text)
}

// Alive reports whether a refresh token can be used yet.
func (s *Server) Alive(refresh string) (alive bool) {
	s.locked(func() {
		g := s.tokens[refresh]
		alive = g != nil && g.until.IsZero()
	})
	return alive
}

func (s *Server) locked(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

// grant makes tokens. The caller holds the lock.
func (s *Server) grant(left time.Duration) (access, refresh string) {
	access, refresh = "a-"+Mark+rand.Text(), "r-"+Mark+rand.Text()
	s.access[access] = time.Now().Add(left)
	s.tokens[refresh] = &grant{}
	return access, refresh
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	redirect, err := url.Parse(q.Get("redirect_uri"))
	host := redirect.Hostname()
	switch {
	case err != nil || host != "127.0.0.1" && host != "localhost":
		http.Error(w, "redirect_uri", http.StatusBadRequest)
		return
	case q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("state") == "" || q.Get("scope") == "":
		http.Error(w, "the request of the browser is not complete", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	s.locked(func() {
		if s.denied {
			answer.Set("error", "access_denied")
			return
		}
		c := "c-" + Mark + rand.Text()
		s.codes[c] = code{q.Get("code_challenge"), q.Get("redirect_uri")}
		answer.Set("code", c)
	})
	redirect.RawQuery = answer.Encode()
	http.Redirect(w, r, redirect.String(), http.StatusFound)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	refused := s.check(r)
	if refused == lost {
		panic(http.ErrAbortHandler) // closes the connection
	}
	if refused != "" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":%q,"error_description":%q}`, refused, r.Form.Encode()) // as careless as some are
		return
	}
	life := s.Life
	if life == 0 {
		life = time.Hour
	}
	access, refresh := s.grant(life)
	fmt.Fprintf(w, `{"access_token":%q,"refresh_token":%q,"token_type":"Bearer","expires_in":%d}`, access, refresh, int(life/time.Second))
}

// check returns why there is no token for a request.
func (s *Server) check(r *http.Request) string {
	if r.ParseForm() != nil {
		return "invalid_request"
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.Form.Get("client_id"), r.Form.Get("client_secret")
	}
	if id != ClientID || secret != ClientSecret {
		return "invalid_client"
	}
	switch r.Form.Get("grant_type") {
	case "authorization_code":
		c, ok := s.codes[r.Form.Get("code")]
		delete(s.codes, r.Form.Get("code"))
		sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
		if !ok || c.redirect != r.Form.Get("redirect_uri") || c.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
			return "invalid_grant"
		}
		return ""
	case "refresh_token":
		g := s.tokens[r.Form.Get("refresh_token")]
		if g == nil {
			return "invalid_grant"
		}
		if g.until.IsZero() {
			g.until = time.Now().Add(s.Grace)
			return ""
		}
		s.reused++
		if time.Now().After(g.until) {
			return "invalid_grant"
		}
		return ""
	case grantDevice:
		return s.checkDevice(r.Form.Get("device_code"))
	}
	return "unsupported_grant_type"
}

// signed answers requests that come with an access token.
func (s *Server) signed(answer func(w http.ResponseWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var valid bool
		s.locked(func() {
			valid = time.Now().Before(s.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")])
		})
		if !valid {
			http.Error(w, "who is asking?", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		answer(w)
	}
}

func (s *Server) list(w http.ResponseWriter, key, first string) {
	var items []string
	if first != "" {
		items = append(items, first)
	}
	for i, name := range s.Drives {
		items = append(items, fmt.Sprintf(`{"id":"drive-%d","driveType":"business","name":%q}`, i+1, name))
	}
	fmt.Fprintf(w, `{%q:[%s]}`, key, strings.Join(items, ","))
}
