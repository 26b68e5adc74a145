package gcs_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/gcs"
)

// secret is in every credential that must not show.
const secret = "c2VjcmV0c2VjcmV0c2VjcmV0"

func TestOptionsThatCannotBe(t *testing.T) {
	for want, o := range map[string]gcs.Options{
		"service_account_file, service_account_credentials, token": {},
		"endpoint":                    {Anonymous: true, Endpoint: "http://"},
		"service_account_credentials": {ServiceAccountJSON: `{"private_key":"` + secret + `"}`},
		"service_account_file":        {ServiceAccountFile: "/does/not/exist"},
		"option token":                {Token: gcs.Token{JSON: secret}},
		"client_id":                   {Token: gcs.Token{JSON: `{"refresh_token":"` + secret + `"}`}},
	} {
		_, err := gcs.New(t.Context(), "b", o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", want, err)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the secret shows: %v", want, err)
		}
	}
}

func TestNoSecretShowsWhenTheServerCannotBeReached(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close() // nobody listens there now
	r := open(t, "b", gcs.Options{AccessToken: secret, Endpoint: "http://" + addr})
	defer r.Close()
	shows(t, r, addr)
}

func TestNoSecretShowsWhenTheServerRefuses(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+secret {
			t.Errorf("%s %s comes without the token", r.Method, r.URL.Path)
		}
		http.Error(w, `{"error":{"code":401,"errors":[{"reason":"authError"}]}}`, http.StatusUnauthorized)
	}))
	defer web.Close()
	r := open(t, "b", gcs.Options{AccessToken: secret, Endpoint: web.URL})
	defer r.Close()
	if err := shows(t, r, "127.0.0.1"); !errors.Is(err, remote.ErrPermission) {
		t.Errorf("a wrong token: %v", err)
	}
}

func TestATokenThatCannotBeRefreshedIsRefused(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"` + secret + `"}`))
	}))
	defer web.Close()
	token := gcs.Token{
		JSON:     `{"access_token":"x","refresh_token":"` + secret + `","expiry":"2001-01-01T00:00:00Z"}`,
		ClientID: "ferry", ClientSecret: secret, TokenURL: web.URL,
	}
	r := open(t, "b", gcs.Options{Token: token, Endpoint: web.URL})
	defer r.Close()
	if err := shows(t, r, "127.0.0.1"); !errors.Is(err, remote.ErrPermission) {
		t.Errorf("a token that was withdrawn: %v", err)
	}
}

// shows makes calls that fail, and checks that their errors name the host, and no secret. It
// returns the last.
func shows(t *testing.T, r remote.Remote, host string) error {
	t.Helper()
	var last error
	for call, do := range map[string]func(context.Context) error{
		"Stat": func(ctx context.Context) error { _, err := r.Stat(ctx, "f"); return err },
		"Open": func(ctx context.Context) error { _, err := r.Open(ctx, "f", 0, -1); return err },
		"Put": func(ctx context.Context) error {
			_, err := r.Put(ctx, "f", strings.NewReader("x"), remote.PutOptions{})
			return err
		},
		"Remove": func(ctx context.Context) error { return r.Remove(ctx, "f") },
	} {
		last = do(t.Context())
		if last == nil || !strings.Contains(last.Error(), host) || strings.Contains(last.Error(), "\n") {
			t.Errorf("%s: %v", call, last)
		} else if strings.Contains(last.Error(), secret) {
			t.Errorf("%s: the secret shows: %v", call, last)
		}
	}
	return last
}
