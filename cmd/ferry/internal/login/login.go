// Package login has somebody log in at a provider, and returns the token of it: by a browser of
// this machine, by what was got on another one, or by a code that is typed anywhere.
//
// The files, in reading order:
//
//	login.go     Run: whichever way comes to an end first
//	redirect.go  where the browser comes back to
//	pasted.go    what somebody pastes
//	device.go    codes for devices
//	attempt.go   an attempt, and the exchange of its code for a token
//	browser.go   whether there is a browser, and how it is opened
//	failure.go   what providers refuse
package login

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

// limit is how long somebody may take.
const limit = 15 * time.Minute

// Options are a login.
type Options struct {
	Config oauth2.Config // Config.RedirectURL is at a port of this machine
	Params []oauth2.AuthCodeOption
	HTTP   *http.Client // sends the requests to the provider

	// Browse opens a browser at an address; nil = there is none here.
	Browse func(address string) error
	// Elsewhere says that the browser is on another machine: none comes back to this one.
	Elsewhere bool
	// Remote is the command that gets a token on another machine, to be told; "" = there is none.
	Remote string
	// Say tells the person what to do.
	Say func(format string, args ...any)
	// Ask asks for what was got elsewhere, and ends with its context; nil = nobody can be asked.
	Ask func(ctx context.Context, question string) (string, error)
}

// Run returns the token of a login. Errors are one line, and hold nothing that is secret.
func Run(ctx context.Context, o Options) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errors.New("nobody has logged in"))
	defer cancel()
	ctx = context.WithValue(ctx, oauth2.HTTPClient, o.HTTP)
	a := &attempt{Options: o, state: rand.Text(), verifier: oauth2.GenerateVerifier(), results: make(chan result, 2)}
	if !o.Elsewhere {
		end, err := a.listen(ctx)
		switch {
		case err == nil:
			defer end()
		case o.Ask == nil:
			return nil, err
		default:
			o.Say("%v: the browser cannot come back to here", err)
		}
	}
	if o.Ask == nil && o.Elsewhere {
		return nil, errors.New("there is no terminal to paste what was got elsewhere: give it as config_token=TOKEN")
	}
	asked := make(chan struct{})
	if opened := a.invite(); opened || o.Ask == nil {
		close(asked) // the browser comes back by itself
	} else {
		go func() {
			defer close(asked)
			a.ask(ctx)
		}()
	}
	defer func() { cancel(); <-asked }() // the terminal is given back
	select {
	case r := <-a.results:
		return r.token, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// address is where the person logs in.
func (a *attempt) address() string {
	return a.Config.AuthCodeURL(a.state, append(a.Params, oauth2.S256ChallengeOption(a.verifier))...)
}

// invite tells the person where to log in, and reports whether a browser has opened there.
func (a *attempt) invite() bool {
	address := a.address()
	if a.Browse != nil && !a.Elsewhere {
		if err := a.Browse(address); err == nil {
			a.Say("Log in with the browser that opens. If none does, open this link:\n\n%s\n", address)
			return true
		}
	}
	a.Say("Open this link in a browser, and log in:\n\n%s\n", address)
	if a.Ask == nil {
		return false
	}
	a.Say("If the browser is on another machine it cannot show the page that comes last, whose address begins with %s: "+
		"copy that address, and paste it here.", a.Config.RedirectURL)
	if a.Remote != "" {
		a.Say("Or run this on the other machine, and paste what it prints (rclone authorize does the same; the long word holds the client_secret):\n\n%s\n", a.Remote)
	}
	return false
}

// ask asks until what is pasted is of use.
func (a *attempt) ask(ctx context.Context) {
	for {
		text, err := a.Ask(ctx, "Paste here: ")
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			a.results <- result{err: err}
			return
		}
		token, err := a.pasted(ctx, text)
		if err == nil || !errors.Is(err, errPasted) {
			a.results <- result{token, err}
			return
		}
		a.Say("%v.", err)
	}
}
