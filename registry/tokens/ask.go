package tokens

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"ferry/remote"
)

const endedForGood = "has a token that has ended, and no client_id to refresh it with"

// ask has the provider grant a new token for an old one. A refresh token that it has refused it is
// not asked about again.
func (s *source) ask(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	switch {
	case s.Config.ClientID == "":
		return nil, s.reconnect(endedForGood)
	case s.AsClient:
	case old.RefreshToken == "":
		return nil, s.reconnect("has a token that has ended and cannot be refreshed")
	case old.RefreshToken == s.refused:
		return nil, s.why
	}
	t, err := s.request(context.WithValue(ctx, oauth2.HTTPClient, s.HTTP), old)
	if err == nil {
		return t, nil
	}
	if err = s.meaning(err); errors.Is(err, remote.ErrPermission) && !s.AsClient {
		s.refused, s.why = old.RefreshToken, err
	}
	return nil, err
}

func (s *source) request(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	if !s.AsClient {
		config := s.Config
		return config.TokenSource(ctx, &oauth2.Token{RefreshToken: old.RefreshToken}).Token()
	}
	config := clientcredentials.Config{
		ClientID: s.Config.ClientID, ClientSecret: s.Config.ClientSecret,
		TokenURL: s.Config.Endpoint.TokenURL, AuthStyle: s.Config.Endpoint.AuthStyle, Scopes: s.Config.Scopes,
	}
	return config.Token(ctx)
}

// meaning turns what the client reports into an error without its address and its answer, which may
// hold what is secret.
func (s *source) meaning(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		if request := (*url.Error)(nil); errors.As(err, &request) {
			err = request.Err
		}
		return fmt.Errorf("remote %s: the token of the login cannot be refreshed: %w", s.Remote, err)
	}
	code, status := Code(answer), answer.Response.StatusCode
	switch {
	case status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || answer.ErrorCode == "" ||
		answer.ErrorCode == "temporarily_unavailable" || answer.ErrorCode == "server_error":
		return fmt.Errorf("remote %s: the token of the login cannot be refreshed now: the provider answers %s", s.Remote, code)
	case answer.ErrorCode == "invalid_client" || answer.ErrorCode == "unauthorized_client":
		return fmt.Errorf("remote %s: the provider does not accept client_id and client_secret (%s): correct them, then run "+
			"%q: %w", s.Remote, code, Command(s.Remote), remote.ErrPermission)
	}
	return s.reconnect("is not logged in any more (" + code + ")")
}

// Code returns what an answer says the error is, without anything that it may quote.
func Code(answer *oauth2.RetrieveError) string {
	if code := Clean(answer.ErrorCode); code != "" {
		return code
	}
	return fmt.Sprintf("with status %d", answer.Response.StatusCode)
}

// Clean returns a code of an error that a provider has sent, "" where it is none.
func Clean(code string) string {
	for _, r := range code {
		if !(r == '_' || r == '-' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
			return ""
		}
	}
	if len(code) > 40 {
		return ""
	}
	return code
}

// reconnect returns the error of a remote that somebody has to log in to.
func (o Options) reconnect(what string) error {
	advice := ""
	if o.Advice != "" {
		advice = o.Advice + ", then "
	}
	return fmt.Errorf("remote %s: it %s: %slog in by %q: %w", o.Remote, what, advice, Command(o.Remote), remote.ErrPermission)
}

// Command is the one that logs in to a remote, whose name may have something behind that tells
// apart remotes of one name. One that is described on the spot has no place for a token.
func Command(remote string) string {
	name, _, _ := strings.Cut(remote, "{")
	if typ, ok := strings.CutPrefix(name, ":"); ok {
		return "ferry config create NAME " + typ
	}
	return "ferry config reconnect " + name + ":"
}
