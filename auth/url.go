package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// URLOptions say how a service is asked about logins.
type URLOptions struct {
	AskOptions
	// Protocol is "rclone" (the JSON of its auth proxy), "sftpgo" (the JSON of its hook for
	// external authentication) or "aws" (the JSON of a Lambda function for a custom identity
	// provider of AWS Transfer Family). "" is "rclone".
	Protocol string
	// AWSRemote is the remote of which buckets are directories, such as "s3:"; aws needs it.
	AWSRemote string
	// ServerID is what aws calls this server.
	ServerID string
	// Transport sends the questions; nil: over HTTP and TLS as usual.
	Transport http.RoundTripper
}

// URL is an Authenticator that asks a service by POST over HTTP or HTTPS. It is to be closed.
type URL struct {
	asker    *asker
	url      string
	clear    bool
	protocol protocol
	client   http.Client
}

// A protocol says what is asked, and what the answers mean.
type protocol struct {
	question func(Login) ([]byte, error)
	// denies reports whether an answer with that status refuses the login. Others than 200 that do
	// not mean that the service failed.
	denies func(status int) bool
	parse  func(user string, answer []byte) (Identity, error)
}

// NewURL returns the Authenticator for the service at an address. It does not connect.
func NewURL(address string, o URLOptions) (*URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the address of the service is to be http://HOST/PATH or https://HOST/PATH") // it may have a password
	}
	p, err := protocolOf(o)
	if err != nil {
		return nil, err
	}
	transport := o.Transport
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost, t.IdleConnTimeout = 8, 30*time.Second
		transport = t
	}
	s := &URL{url: address, clear: u.Scheme == "http" && !loopback(u.Hostname()), protocol: p, client: http.Client{
		Transport: transport,
		// A password is for the service that was named, not for where that sends it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	s.asker = newAsker("auth service "+u.Scheme+"://"+u.Host+u.EscapedPath(), o.AskOptions, false, s.post)
	return s, nil
}

// protocolOf returns what the options name.
func protocolOf(o URLOptions) (protocol, error) {
	switch o.Protocol {
	case "", "rclone":
		return protocol{rcloneQuestion, unauthorized, parseRclone}, nil
	case "sftpgo":
		return protocol{sftpgoQuestion, sftpgoDenies, parseSFTPGo}, nil
	case "aws":
		if o.AWSRemote == "" {
			return protocol{}, errors.New("the protocol aws names buckets: say the remote that they are in, such as s3:bucket")
		}
		return protocol{awsQuestion(o.ServerID), unauthorized, parseAWS(o.AWSRemote)}, nil
	}
	return protocol{}, fmt.Errorf("%q is no protocol of auth services: there are rclone, sftpgo and aws", o.Protocol)
}

func unauthorized(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Clear reports whether passwords go over a network in clear.
func (s *URL) Clear() bool { return s.clear }

// Close closes connections that are kept for further questions.
func (s *URL) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Authenticate asks the service, unless it answered the same login a short time ago. An error that
// is not ErrDenied names the service, without what is secret in its address.
func (s *URL) Authenticate(ctx context.Context, l Login) (Identity, error) {
	return s.asker.authenticate(ctx, l)
}

// post asks once.
func (s *URL) post(ctx context.Context, l Login) (Identity, error) {
	question, err := s.protocol.question(l)
	if err != nil {
		return Identity{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(question))
	if err != nil {
		return Identity{}, errors.New("its address is wrong")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return Identity{}, withoutURL(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return Identity{}, fmt.Errorf("the answer was cut off: %w", withoutURL(err))
	case len(answer) > maxAnswer:
		return Identity{}, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	case resp.StatusCode == http.StatusOK:
		return s.protocol.parse(l.User, answer)
	case s.protocol.denies(resp.StatusCode):
		return Identity{}, fmt.Errorf("%w: it answers %d", ErrDenied, resp.StatusCode)
	}
	return Identity{}, fmt.Errorf("it answers %d (%s)", resp.StatusCode, strings.ToLower(http.StatusText(resp.StatusCode)))
}

// withoutURL returns the cause of an error of package http: the address may have a password.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
