package login

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
)

// Device returns the token of a login by a code that is typed on any device (RFC 8628). Errors are
// one line, and hold nothing that is secret.
func Device(ctx context.Context, o Options) (*oauth2.Token, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, o.HTTP)
	code, err := o.Config.DeviceAuth(ctx, o.Params...)
	if err != nil {
		return nil, failure(err)
	}
	if end := time.Now().Add(limit); code.Expiry.IsZero() || code.Expiry.After(end) {
		code.Expiry = end
	}
	o.Say("Open %s on any device, and type the code %s there.", code.VerificationURI, code.UserCode)
	for told := false; ; told = true {
		token, err := o.Config.DeviceAccessToken(ctx, code)
		switch {
		case err == nil:
			return complete(token)
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !time.Now().Before(code.Expiry):
			return nil, errExpired
		case !passes(err):
			return nil, failure(err)
		}
		if !told {
			o.Say("%v; it is asked again.", failure(err))
		}
		code.Interval = 2 * cmp.Or(code.Interval, 5) // section 3.5
	}
}

// passes reports whether err is no answer of the provider about the login: it may come yet.
func passes(err error) bool {
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) {
		return answer.ErrorCode == "" && answer.Response != nil && answer.Response.StatusCode >= http.StatusInternalServerError
	}
	var request *url.Error
	return errors.As(err, &request)
}
