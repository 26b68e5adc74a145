package gcs_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/oauth2"

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

// loggedOut has no token any more.
type loggedOut struct{}

func (loggedOut) Token() (*oauth2.Token, error) {
	return nil, fmt.Errorf("log in by ferry config reconnect g: %w", remote.ErrPermission)
}

func TestALoginThatHasEndedIsRefused(t *testing.T) {
	r := open(t, "b", gcs.Options{Tokens: loggedOut{}, Endpoint: "http://127.0.0.1:9"})
	defer r.Close()
	if err := shows(t, r, "127.0.0.1"); !errors.Is(err, remote.ErrPermission) || !strings.Contains(err.Error(), "reconnect g:") {
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
