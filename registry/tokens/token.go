package tokens

import (
	"encoding/json"
	"errors"
	"math"
	"time"

	"golang.org/x/oauth2"
)

// Parse reads the form of rclone.conf. An error shows nothing of it.
func Parse(text string) (*oauth2.Token, error) {
	var t oauth2.Token
	if err := json.Unmarshal([]byte(text), &t); err != nil || t.AccessToken == "" && t.RefreshToken == "" {
		return nil, errors.New("it is not the JSON of a token")
	}
	return &t, nil
}

// Format returns a token in the form of rclone.conf, in one line.
func Format(t *oauth2.Token) string {
	kept := oauth2.Token{AccessToken: t.AccessToken, TokenType: t.Type(), RefreshToken: t.RefreshToken, Expiry: t.Expiry}
	text, err := json.Marshal(&kept)
	if err != nil {
		panic(err) // strings and a time of these years only
	}
	return string(text)
}

// remaining returns how long a token is valid yet.
func remaining(t *oauth2.Token) time.Duration {
	switch {
	case t.AccessToken == "":
		return 0
	case t.Expiry.IsZero():
		return math.MaxInt64
	}
	return time.Until(t.Expiry)
}

// newer returns the one of two tokens that was granted later: whose access token ends later. Where
// that does not tell, it is what is stored.
func newer(ours, stored *oauth2.Token) *oauth2.Token {
	if stored == nil || !ours.Expiry.IsZero() && !stored.Expiry.IsZero() && ours.Expiry.After(stored.Expiry) {
		return ours
	}
	return stored
}
