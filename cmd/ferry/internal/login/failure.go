package login

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"golang.org/x/oauth2"

	"ferry/registry/tokens"
)

// errExpired is that of a code that nobody has typed in time.
var errExpired = errors.New("the code has expired before somebody has typed it: log in again")

// refusal is the error of a login that the provider has refused by a code.
func refusal(code string) error {
	switch code {
	case "access_denied", "authorization_declined": // the latter is Microsoft's
		return errors.New("access was denied")
	case "expired_token":
		return errExpired
	}
	if code = tokens.Clean(code); code != "" {
		return fmt.Errorf("the provider refuses (%s)", code)
	}
	return errors.New("the provider refuses")
}

// failure is an error of a request without its address and its answer, which may hold secrets.
func failure(err error) error {
	if answer := (*oauth2.RetrieveError)(nil); errors.As(err, &answer) {
		switch answer.ErrorCode {
		case "invalid_client", "unauthorized_client":
			return fmt.Errorf("the provider does not accept client_id and client_secret (%s): correct them", answer.ErrorCode)
		case "redirect_uri_mismatch":
			return errors.New("the provider does not know the redirect URI: add it to the OAuth client")
		case "invalid_grant":
			return errors.New("the provider does not accept the code, which may be too old: log in again")
		case "access_denied", "authorization_declined", "expired_token":
			return refusal(answer.ErrorCode)
		}
		return fmt.Errorf("the provider refuses (%s)", tokens.Code(answer))
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	if request := (*url.Error)(nil); errors.As(err, &request) {
		err = request.Err
	}
	return fmt.Errorf("the provider cannot be reached: %w", err)
}
