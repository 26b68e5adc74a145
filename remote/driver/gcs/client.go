package gcs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"ferry/remote/network"
	"ferry/remote/partname"
)

const (
	defaultEndpoint = "https://storage.googleapis.com/storage/v1/"
	// scope is what a token is asked for.
	scope = "https://www.googleapis.com/auth/devstorage.full_control"
	// idleConnections is how many connections to the service are kept for the next requests.
	idleConnections = 64
)

// newService returns the service at endpoint. Requests for contents go through its client too.
func newService(ctx context.Context, endpoint string, o Options) (*service, error) {
	base := o.Network.Transport(idleConnections)
	base.DisableCompression = false // of listings; contents are read as they are stored
	source, err := tokens(context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: base}), o)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: newTransport(base, source, o.UserProject), CheckRedirect: network.NotFollowed}
	return &service{base: endpoint, client: client, tries: o.Network.Tries()}, nil
}

// A transport says who is asking, and who pays.
type transport struct {
	sender      http.RoundTripper
	idle        func() // closes idle connections
	userProject string
}

func newTransport(base *network.Transport, source oauth2.TokenSource, userProject string) *transport {
	t := &transport{sender: network.Answers(network.Objects(base, lists), harmless), idle: base.CloseIdleConnections, userProject: userProject}
	if source != nil {
		t.sender = &oauth2.Transport{Base: t.sender, Source: source}
	}
	return t
}

// harmless reports whether nobody sees what a request does: it begins an upload, or sends a chunk
// that is not the last, or concerns a temporary object.
func harmless(q *http.Request) bool {
	query, span := q.URL.Query(), q.Header.Get("Content-Range")
	begins := query.Get("uploadType") == "resumable" && span == ""
	return begins || strings.HasSuffix(span, "/*") || partname.Hidden(path.Base(query.Get("name"))) ||
		partname.Hidden(path.Base(q.URL.Path))
}

// lists reports whether a request does not ask for a content.
func lists(q *http.Request) bool { return q.URL.Query().Get("alt") != "media" }

// CloseIdleConnections is what http.Client looks for.
func (t *transport) CloseIdleConnections() { t.idle() }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.userProject != "" {
		r = r.Clone(r.Context())
		r.Header.Set("X-Goog-User-Project", t.userProject)
	}
	return t.sender.RoundTrip(r)
}

// tokens returns the source of the first credentials that o names, nil for none.
func tokens(ctx context.Context, o Options) (oauth2.TokenSource, error) {
	switch {
	case o.Anonymous:
		return nil, nil
	case o.AccessToken != "":
		return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: o.AccessToken}), nil
	case o.ServiceAccountJSON != "":
		return serviceAccount(ctx, "service_account_credentials", []byte(o.ServiceAccountJSON))
	case o.ServiceAccountFile != "":
		key, err := os.ReadFile(o.ServiceAccountFile)
		if err != nil {
			return nil, fmt.Errorf("gcs: service_account_file cannot be read: %v", err) // it is not the remote that is missing
		}
		return serviceAccount(ctx, "service_account_file", key)
	case o.Token.JSON != "":
		return userToken(ctx, o.Token)
	case o.EnvAuth:
		source, err := google.DefaultTokenSource(ctx, scope)
		if err != nil {
			return nil, errors.New("gcs: env_auth is set, but the environment has no credentials: set " +
				"GOOGLE_APPLICATION_CREDENTIALS to the file of a service account")
		}
		return source, nil
	}
	return nil, errors.New("gcs: no credentials: set service_account_file, service_account_credentials, token, " +
		"access_token, env_auth or anonymous")
}

// serviceAccount reads the key that the option called name holds. No error shows any of it.
func serviceAccount(ctx context.Context, name string, key []byte) (oauth2.TokenSource, error) {
	config, err := google.JWTConfigFromJSON(key, scope)
	if err != nil {
		return nil, fmt.Errorf("gcs: option %s is not the JSON key of a service account", name)
	}
	return config.TokenSource(ctx), nil
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
