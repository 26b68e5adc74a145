// Package call makes one call of a hook: it runs a program, or posts to an HTTP or HTTPS address,
// and returns what that answers. Hooks that are told of facts use it, and hooks that are asked
// before.
//
// The files, in reading order:
//
//	call.go      Options, Caller; answer.go: what is answered
//	message.go   what is said: CloudEvents; aws.go: the events of AWS Transfer Family; facts.go: for both
//	program.go   a program; environ.go: its environment
//	web.go       an address; secret.go: who signs what is sent to it; content.go: a file that is sent
//	clamd.go     a clamd, which looks at a file
package call

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Options say what is called, and how.
type Options struct {
	Hook string // name of the hook, for the log and FERRY_HOOK_NAME

	// What is called is one of these.
	Program []string // and its arguments: there is no shell
	URL     string   // http:// or https://, or of a clamd (see IsClamd)

	Secrets   []string          // of URL: the first signs, the others too while they are replaced; see CheckSecret
	Env       string            // of Program: "ferry" or "", "sftpgo", "pure-ftpd"
	Format    string            // "cloudevents" or "", "aws"
	Source    string            // of events: a URI of this server
	Timeout   time.Duration     // of one call; 0 = DefaultTimeout
	Transport http.RoundTripper // nil: over HTTP and TLS as usual, by a proxy of the environment
	Log       *slog.Logger      // gets what a program writes; nil = nobody
}

// DefaultTimeout is how long a call may take.
const DefaultTimeout = 30 * time.Second

// A Caller makes calls. It may be used concurrently.
type Caller struct {
	o       Options
	secrets [][]byte
	client  *http.Client // nil = a program
	network string       // of a clamd; "" = no clamd
	where   string       // of URL, without what is secret in it; of a clamd its address
}

// New returns a Caller. The error says which of the options is wrong. The Caller is to be closed.
func New(o Options) (*Caller, error) {
	c := &Caller{o: o}
	if c.o.Timeout <= 0 {
		c.o.Timeout = DefaultTimeout
	}
	if c.o.Log == nil {
		c.o.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case (o.URL == "") == (len(o.Program) == 0):
		return nil, errors.New("a hook calls either a program or a url")
	case o.URL == "":
		return c, CheckProgram(o.Program[0])
	}
	if IsClamd(o.URL) {
		var err error
		c.network, c.where, err = parseClamd(o.URL)
		return c, err
	}
	for _, text := range o.Secrets {
		secret, err := parseSecret(text)
		if err != nil {
			return nil, err
		}
		c.secrets = append(c.secrets, secret)
	}
	u, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	c.where = u.Scheme + "://" + u.Host + u.EscapedPath()
	c.client = newClient(o.Transport)
	return c, nil
}

// CheckURL returns why s cannot be called. The error does not hold s, in which a password may be.
func CheckURL(s string) error {
	if IsClamd(s) {
		_, _, err := parseClamd(s)
		return err
	}
	_, err := parseURL(s)
	return err
}

func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the address of a hook is http://HOST/PATH or https://HOST/PATH")
	}
	return u, nil
}

// Close closes connections that are kept for further calls.
func (c *Caller) Close() {
	if c.client != nil {
		c.client.CloseIdleConnections()
	}
}

// String returns what is called, without what is secret.
func (c *Caller) String() string {
	switch {
	case c.network != "":
		return "clamd at " + c.where
	case c.client != nil:
		return c.where
	}
	return c.o.Program[0]
}

// Call calls with messages, of which there are several only for an address that takes batches. The
// error is an *Error, unless ctx ended.
func (c *Caller) Call(ctx context.Context, messages ...Message) (Answer, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	run := c.run
	switch {
	case c.network != "":
		run = c.scan
	case c.client != nil:
		run = c.post
	}
	answer, err := run(ctx, messages)
	switch {
	case err == nil:
		return answer, nil
	case outer.Err() != nil:
		return Answer{}, context.Cause(outer)
	case ctx.Err() != nil:
		late := failed("%s gave no answer in %v", c, c.o.Timeout)
		late.Late = true
		return Answer{}, late
	}
	return Answer{}, err
}
