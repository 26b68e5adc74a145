package entra

import (
	"context"
	"encoding/json"
	"os/exec"
	"time"
)

// programTime is how long az and azd may take.
const programTime = 10 * time.Second

// AZ returns the credential of who is logged in by the program az.
func AZ() *Credential { return newCredential(az) }

func az(ctx context.Context) (Token, error) {
	out, err := run(ctx, "az", "account", "get-access-token", "-o", "json", "--resource", resource)
	if err != nil {
		return Token{}, err
	}
	var says struct {
		AccessToken string `json:"accessToken"`
		Seconds     int64  `json:"expires_on"`
		Local       string `json:"expiresOn"` // of older versions, in local time
	}
	if err := json.Unmarshal(out, &says); err != nil || says.AccessToken == "" {
		return Token{}, absent("az gives no token: run az login")
	}
	t := Token{Value: says.AccessToken}
	if says.Seconds > 0 {
		t.Expires = time.Unix(says.Seconds, 0)
	} else if at, err := time.ParseInLocation("2006-01-02 15:04:05.999999", says.Local, time.Local); err == nil {
		t.Expires = at
	}
	return t, nil
}

func azd(ctx context.Context) (Token, error) {
	out, err := run(ctx, "azd", "auth", "token", "-o", "json", "--no-prompt", "--scope", scope)
	if err != nil {
		return Token{}, err
	}
	var says struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expiresOn"`
	}
	if err := json.Unmarshal(out, &says); err != nil || says.Token == "" {
		return Token{}, absent("azd gives no token: run azd auth login")
	}
	return Token{says.Token, says.Expires}, nil
}

// run returns what a program writes. What it complains of may be long and is not shown.
func run(ctx context.Context, program string, args ...string) ([]byte, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, absent("the program %s is not found", program)
	}
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	c := exec.CommandContext(ctx, path, args...)
	c.WaitDelay = time.Second
	out, err := c.Output()
	if err != nil {
		return nil, absent("the program %s gives no token: log in by it", program)
	}
	return out, nil
}
