package entra

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Azure Arc: a program on machines elsewhere gives out tokens to whoever may read a file that it
// writes.
const (
	arcAgent    = "/opt/azcmagent/bin/himds"
	arcTokens   = "/var/opt/azcmagent/tokens"
	arcEndpoint = "http://127.0.0.1:40342/metadata/identity/oauth2/token"
	arcMaxKey   = 4096 // bytes
)

// arc asks the agent at address twice: it first names the file, which is in dir.
func arc(client *http.Client, address, dir string, id Identity) source {
	query := url.Values{"api-version": {"2020-06-01"}, "resource": {resource}}
	id.name(query, "client_id", "object_id", "msi_res_id")
	ask := func(ctx context.Context, key string) (*http.Response, error) {
		r, err := newRequest(ctx, http.MethodGet, address, query)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Metadata", "true")
		if key != "" {
			r.Header.Set("Authorization", "Basic "+key)
		}
		return client.Do(r)
	}
	return func(ctx context.Context) (Token, error) {
		answer, err := ask(ctx, "")
		if err != nil {
			return Token{}, err
		}
		if answer.StatusCode != http.StatusUnauthorized {
			return readToken(answer)
		}
		answer.Body.Close()
		key, err := arcKey(answer.Header.Get("WWW-Authenticate"), dir)
		if err != nil {
			return Token{}, err
		}
		if answer, err = ask(ctx, key); err != nil {
			return Token{}, err
		}
		return readToken(answer)
	}
}

// arcKey reads the file that a challenge names. It must be one of those in dir: any other is none
// of the agent's.
func arcKey(challenge, dir string) (string, error) {
	scheme, realm, ok := strings.Cut(challenge, "=")
	if !ok || !strings.EqualFold(scheme, "Basic realm") {
		return "", errors.New("the agent of Azure Arc does not name the file that proves access")
	}
	path := filepath.Clean(strings.Trim(realm, `"`))
	if filepath.Dir(path) != dir || filepath.Ext(path) != ".key" {
		return "", errors.New("the agent of Azure Arc names a file that is none of its own")
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > arcMaxKey {
		return "", errors.New("the file of Azure Arc's agent cannot be read: run as a member of the group himds")
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return "", errors.New("the file of Azure Arc's agent cannot be read: run as a member of the group himds")
	}
	return string(key), nil
}
