package httpclient

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
)

// An authorizer proves who is asking. A password goes out unasked only over a private connection;
// elsewhere the server is asked first what it wants, so that one that takes a digest never gets the
// password itself.
type authorizer struct {
	user, pass string
	command    []string

	mu     sync.Mutex
	scheme scheme  // guarded by mu
	token  string  // guarded by mu
	digest *digest // guarded by mu; of the scheme digestScheme
}

type scheme uint8

const (
	noScheme scheme = iota // nothing is sent, or nothing yet
	basicScheme
	digestScheme
	bearerScheme
)

// A proof is what a request carried.
type proof struct {
	scheme scheme
	token  string
	digest *digest
}

func newAuthorizer(o Options, private bool) *authorizer {
	a := &authorizer{user: o.User, pass: o.Pass, token: o.Token, command: o.TokenCommand}
	switch {
	case o.Token != "" || len(o.TokenCommand) > 0:
		a.scheme = bearerScheme
	case private && (o.User != "" || o.Pass != ""):
		a.scheme = basicScheme
	}
	return a
}

// authorize adds to req what proves who is asking, as far as it is known what the server wants.
func (a *authorizer) authorize(req *http.Request) (proof, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	used := proof{scheme: a.scheme}
	switch a.scheme {
	case basicScheme:
		req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(a.user+":"+a.pass)))
	case digestScheme:
		value, err := a.digest.answer(req.Method, req.URL.RequestURI(), a.user, a.pass)
		if err != nil {
			return used, err
		}
		used.digest = a.digest
		req.Header.Set("Authorization", value)
	case bearerScheme:
		if a.token == "" {
			token, err := runTokenCommand(req.Context(), a.command)
			if err != nil {
				return used, err
			}
			a.token = token
		}
		used.token = a.token
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	return used, nil
}

// learn reads from an answer 401 what the server wants, and reports whether another try may do
// better than used.
func (a *authorizer) learn(resp *http.Response, used proof) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if used.scheme == bearerScheme {
		if len(a.command) == 0 {
			return false
		}
		if a.token == used.token {
			a.token = ""
		}
		return true
	}
	if a.user == "" && a.pass == "" {
		return false
	}
	wanted, ok := bestChallenge(resp.Header.Values("WWW-Authenticate"))
	switch {
	case !ok:
		return false
	case wanted.digest != nil:
		if used.scheme == digestScheme && !wanted.stale && used.digest.nonce == wanted.digest.nonce {
			return false
		}
		if used.scheme == digestScheme && !wanted.stale {
			return a.digest != used.digest // somebody else has learned a newer nonce meanwhile
		}
		a.scheme, a.digest = digestScheme, wanted.digest
		return true
	case used.scheme == basicScheme:
		return false
	}
	a.scheme, a.digest = basicScheme, nil
	return true
}

// runTokenCommand returns what the program prints.
func runTokenCommand(ctx context.Context, command []string) (string, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", fmt.Errorf("the command of the option bearer_token_command fails: %w", err)
	}
	token := strings.TrimSpace(string(out))
	if token == "" || strings.ContainsAny(token, "\r\n") {
		return "", errors.New("the command of the option bearer_token_command does not print a token in one line")
	}
	return token, nil
}
