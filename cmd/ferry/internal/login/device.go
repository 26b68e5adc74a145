package login

import (
	"context"

	"golang.org/x/oauth2"
)

// Device returns the token of a login by a code that is typed on any device.
func Device(ctx context.Context, o Options) (*oauth2.Token, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, o.HTTP)
	code, err := o.Config.DeviceAuth(ctx, o.Params...)
	if err != nil {
		return nil, failure(err)
	}
	o.Say("Open %s on any device, and type the code %s there.", code.VerificationURI, code.UserCode)
	token, err := o.Config.DeviceAccessToken(ctx, code)
	if err != nil {
		return nil, failure(err)
	}
	return complete(token)
}
