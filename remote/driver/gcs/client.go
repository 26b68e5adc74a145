package gcs

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"golang.org/x/oauth2"

	"ferry/remote/driver/internal/google"
	"ferry/remote/partname"
)

const (
	defaultEndpoint = "https://storage.googleapis.com/storage/v1/"
	// Scope is what a token is asked for.
	Scope = "https://www.googleapis.com/auth/devstorage.full_control"
	// idleConnections is how many connections to the service are kept for the next requests.
	idleConnections = 64
)

// newService returns the service at endpoint. Requests for contents go through its client too.
func newService(ctx context.Context, endpoint string, o Options) (*google.Service, error) {
	base := o.Network.Transport(idleConnections)
	base.DisableCompression = false // of listings; contents are read as they are stored
	source, err := tokens(context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: base}), o)
	if err != nil {
		return nil, err
	}
	by := google.Options{Tokens: source, Harmless: harmless}
	if o.UserProject != "" {
		by.Header = http.Header{"X-Goog-User-Project": {o.UserProject}}
	}
	return &google.Service{Base: endpoint, Upload: "/upload/storage/v1/", Client: google.NewClient(base, by), Tries: o.Network.Tries()}, nil
}

// harmless reports whether nobody sees what a request does: also, it concerns a temporary object.
func harmless(q *http.Request) bool {
	return google.Harmless(q) || partname.Hidden(path.Base(q.URL.Query().Get("name"))) || partname.Hidden(path.Base(q.URL.Path))
}

// tokens returns the source of the first credentials that o names, nil for none.
func tokens(ctx context.Context, o Options) (oauth2.TokenSource, error) {
	switch {
	case o.Anonymous:
		return nil, nil
	case o.AccessToken != "":
		return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: o.AccessToken}), nil
	}
	account := google.Account{Driver: "gcs", JSON: o.ServiceAccountJSON, File: o.ServiceAccountFile, Scopes: []string{Scope}}
	source, err := account.Tokens(ctx)
	if source != nil || err != nil {
		return source, err
	}
	switch {
	case o.Tokens != nil:
		return o.Tokens, nil
	case o.EnvAuth:
		account.Env = true
		return account.Tokens(ctx)
	}
	return nil, errors.New("gcs: no credentials: set service_account_file, service_account_credentials, token, " +
		"access_token, env_auth or anonymous")
}

// parseEndpoint returns the URL that all requests begin with, and its host for errors.
func parseEndpoint(s string) (endpoint, host string, err error) {
	if s == "" {
		s = defaultEndpoint
	}
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "", "", errors.New("gcs: option endpoint is not the URL of a server: https://host:port")
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/storage/v1/"
	}
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	return u.String(), u.Host, nil
}
