package login

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// errPasted says that something else is wanted.
var errPasted = errors.New("this is neither the address of the last page of this login, nor a token")

// pasted returns the token that somebody has got elsewhere: what ferry authorize or rclone
// authorize prints, or the address that the browser was sent to.
func (a *attempt) pasted(ctx context.Context, text string) (*oauth2.Token, error) {
	text = strings.TrimSpace(text)
	if token, err := ReadToken(text); err == nil {
		return complete(token)
	}
	if address, err := url.Parse(text); err == nil && address.Query().Has("state") {
		if address.Query().Get("state") != a.state {
			return nil, errPasted
		}
		return a.answered(ctx, address.Query())
	}
	return nil, errPasted
}

// ReadToken reads what ferry authorize or rclone authorize prints: a token as JSON, or settings
// with one, as JSON that may be encoded. No error holds any of it.
func ReadToken(text string) (*oauth2.Token, error) {
	text = strings.TrimSpace(text)
	var token oauth2.Token
	if json.Unmarshal([]byte(text), &token) == nil && token.AccessToken != "" {
		return &token, nil
	}
	settings, err := ReadBlob(text)
	if err != nil {
		return nil, err
	}
	if json.Unmarshal([]byte(settings["token"]), &token) != nil || token.AccessToken == "" {
		return nil, errPasted
	}
	return &token, nil
}

// ReadBlob reads settings as rclone gives them to rclone authorize, and gets them from it.
func ReadBlob(text string) (map[string]string, error) {
	plain, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		plain = []byte(text)
	}
	var settings map[string]string
	if json.Unmarshal(plain, &settings) != nil {
		return nil, errPasted
	}
	return settings, nil
}

// Blob is the form that ReadBlob reads.
func Blob(settings map[string]string) string {
	text, err := json.Marshal(settings)
	if err != nil {
		panic(err) // strings only
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
