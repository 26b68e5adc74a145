package gcs

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/option"
)

const defaultHost = "storage.googleapis.com"

// A Token is what a user granted to a program, the way rclone stores it.
type Token struct {
	JSON         string // access_token, token_type, refresh_token, expiry
	ClientID     string // of the program that the token was granted to
	ClientSecret string
	AuthURL      string // "" is Google's
	TokenURL     string // "" is Google's
}

// newClient returns a client that repeats what is safe to repeat, a few times only: the callers have their own patience.
func newClient(ctx context.Context, endpoint string, o Options) (*storage.Client, error) {
	auth, err := credentials(ctx, o)
	if err != nil {
		return nil, err
	}
	// Contents are read by the XML interface, the client's own choice: by JSON, what is stored with gzip would come
	// unpacked, and parts of it would be wrong.
	all := []option.ClientOption{
		auth, storage.WithDisabledClientMetrics(), option.WithTelemetryDisabled(), option.WithUserAgent("ferry"),
	}
	if endpoint != "" {
		all = append(all, option.WithEndpoint(endpoint))
	}
	client, err := storage.NewClient(ctx, all...)
	if err != nil {
		return nil, errors.New("gcs: the client cannot be made with these credentials: check service_account_file or " +
			"service_account_credentials")
	}
	client.SetRetry(storage.WithMaxAttempts(3), storage.WithBackoff(gax.Backoff{
		Initial: 200 * time.Millisecond, Max: 2 * time.Second, Multiplier: 2,
	}))
	return client, nil
}

// credentials turns the first that o names into an option of the client.
func credentials(ctx context.Context, o Options) (option.ClientOption, error) {
	switch {
	case o.Anonymous:
		return option.WithoutAuthentication(), nil
	case o.AccessToken != "":
		return option.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: o.AccessToken})), nil
	case o.ServiceAccountJSON != "":
		return serviceAccount("service_account_credentials", []byte(o.ServiceAccountJSON))
	case o.ServiceAccountFile != "":
		key, err := os.ReadFile(o.ServiceAccountFile)
		if err != nil {
			return nil, fmt.Errorf("gcs: option service_account_file: %w", err)
		}
		return serviceAccount("service_account_file", key)
	case o.Token.JSON != "":
		return userToken(ctx, o.Token)
	case o.EnvAuth:
		source, err := google.DefaultTokenSource(ctx, storage.ScopeFullControl)
		if err != nil {
			return nil, errors.New("gcs: env_auth is set, but the environment has no credentials: set " +
				"GOOGLE_APPLICATION_CREDENTIALS to the file of a service account")
		}
		return option.WithTokenSource(source), nil
	}
	return nil, errors.New("gcs: no credentials: set service_account_file, service_account_credentials, token, " +
		"access_token, env_auth or anonymous")
}

// serviceAccount reads the key that the option called name holds. No error shows any of it.
func serviceAccount(name string, key []byte) (option.ClientOption, error) {
	if _, err := google.JWTConfigFromJSON(key, storage.ScopeFullControl); err != nil {
		return nil, fmt.Errorf("gcs: option %s is not the JSON key of a service account", name)
	}
	return option.WithAuthCredentialsJSON(option.ServiceAccount, key), nil
}

// parseEndpoint returns what the client wants, and the host for errors.
func parseEndpoint(s string) (endpoint, host string, err error) {
	if s == "" {
		return "", defaultHost, nil
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
