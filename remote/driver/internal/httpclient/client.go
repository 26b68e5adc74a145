// Package httpclient makes the HTTP requests of the drivers that speak HTTP themselves: one
// connection pool for each remote, what proves who is asking, ranged reads that notice when they
// are cut, and errors in terms of package remote.
package httpclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"ferry/remote"
	"ferry/remote/network"
)

// Options are what a Client can be told. The zero value is fine.
type Options struct {
	User, Pass   string
	Token        string   // sent as "Authorization: Bearer"
	TokenCommand []string // a program and its arguments that prints a token; it is run when one is needed
	Header       http.Header
	UnixSocket   string // connect to it instead of the host of the URL
	KeepAuth     bool   // prove who is asking to hosts that the server redirects to, too
	// Redirects are names of hosts besides the server's own to which redirections are followed; "*"
	// is any, and so does KeepAuth allow any.
	Redirects []string
	// Harmless tells which requests change nothing that shows, see network.Answers. nil = none of
	// those that change.
	Harmless func(*http.Request) bool
	Option   string // that says where the server is, for errors; "" = url
	Network  network.Options
}

// A Client sends requests to one server. Its methods may be called concurrently.
type Client struct {
	base      *url.URL
	header    http.Header
	keepAuth  bool
	option    string
	redirects []string
	auth      *authorizer
	transport *network.Transport
	answers   http.RoundTripper // makes requests by transport
}

// idlePerHost is how many connections are kept for the next requests.
const idlePerHost = 32

// New returns a client for the server of base, which ParseBase made. It does not connect.
func New(base *url.URL, o Options) *Client {
	c := &Client{base: base, header: o.Header, keepAuth: o.KeepAuth, option: cmp.Or(o.Option, "url"), redirects: o.Redirects}
	private := base.Scheme == "https" || o.UnixSocket != ""
	c.auth = newAuthorizer(o, private)
	c.transport = o.Network.Transport(idlePerHost)
	if o.UnixSocket != "" {
		c.transport.Proxy = nil
		c.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return o.Network.Dial(ctx, "unix", o.UnixSocket)
		}
	}
	c.answers = network.Answers(c.transport, o.Harmless)
	return c
}

// Close gives back the connections that are idle.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Request makes a request for u. A body that is a *Body may be as long as it likes; any other must
// be one whose bytes http.NewRequest can replay.
func (c *Client) Request(ctx context.Context, method string, u *url.URL, body io.Reader) *http.Request {
	var plain io.Reader
	if b, ok := body.(*Body); !ok || b == nil {
		plain = body
	}
	// A method that is no token and a URL that cannot be parsed are what NewRequest refuses; it
	// gets constants and a URL.
	req, _ := http.NewRequestWithContext(ctx, method, "http://host/", plain)
	req.URL, req.Host = u, u.Host
	if b, ok := body.(*Body); ok && b != nil {
		b.attach(req)
	}
	return req
}

// Do sends req to the server and returns its answer, whatever the status, except that it proves who
// is asking when it is asked to and the body can still be sent. An error is a failure on the way;
// it names the server and holds nothing else of the URL. Redirections are answers.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	for k, v := range c.header {
		req.Header[k] = v
	}
	// Twice is for a nonce that has become stale and for a password that was sent where a digest is
	// wanted.
	for tries := 0; ; tries++ {
		used, err := c.auth.authorize(req)
		if err != nil {
			return nil, err
		}
		resp, err := c.roundTrip(req)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode == http.StatusExpectationFailed && req.Header.Get("Expect") != "" && rewind(req) {
			Drain(resp)
			req.Header.Del("Expect")
			continue
		}
		if resp.StatusCode != http.StatusUnauthorized || tries == 2 || !c.auth.learn(resp, used) || !rewind(req) {
			return resp, nil
		}
		Drain(resp)
	}
}

// rewind makes the body of req ready to be sent again, where that is possible.
func rewind(req *http.Request) bool {
	if req.Body == nil || req.Body == http.NoBody {
		return true
	}
	if req.GetBody == nil {
		return false
	}
	body, err := req.GetBody()
	if err != nil {
		return false
	}
	req.Body = body
	return true
}

// roundTrip sends req as it is.
func (c *Client) roundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.answers.RoundTrip(req)
	if err == nil {
		return resp, nil
	}
	if ctx := req.Context(); ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, fmt.Errorf("the server %s does not answer, check the option %s and the network: %w", req.URL.Host, c.option, onTheWay(err))
}

// onTheWay takes off the wrapping that shows a URL, which may hold a secret, and makes an end that
// comes too early what it is.
func onTheWay(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// maxRedirects is how often Get follows a redirection.
const maxRedirects = 10

// Get sends a GET or HEAD and follows redirections within the scheme and to hosts that Options
// allow, except the one that adds a slash to the path: that is how a server says that something is
// a directory, and IsSlashRedirect recognises it. What proves who is asking, and the headers of the
// options, stay with the server of the client unless Options.KeepAuth.
func (c *Client) Get(req *http.Request) (*http.Response, error) {
	own := true
	for range maxRedirects {
		var resp *http.Response
		var err error
		if own || c.keepAuth {
			resp, err = c.Do(req)
		} else {
			resp, err = c.roundTrip(req)
		}
		if err != nil || !isRedirect(resp.StatusCode) || IsSlashRedirect(resp) {
			return resp, err
		}
		next, err := resp.Location()
		Drain(resp)
		if err != nil {
			return nil, fmt.Errorf("the server %s redirects to no address", req.URL.Host)
		}
		if err := c.mayFollow(req.URL, next); err != nil {
			return nil, err
		}
		next.Fragment, next.RawFragment = "", ""
		header := http.Header{}
		if r := req.Header.Get("Range"); r != "" {
			header.Set("Range", r)
		}
		req = c.Request(req.Context(), req.Method, next, nil)
		req.Header = header
		own = next.Scheme == c.base.Scheme && next.Host == c.base.Host
	}
	return nil, fmt.Errorf("the server %s redirects more than %d times", c.base.Host, maxRedirects)
}

// mayFollow refuses a redirection to another scheme, or to a host that nobody has named: a server
// could have this program ask whom it likes, from inside its network.
func (c *Client) mayFollow(from, to *url.URL) error {
	if to.Scheme != c.base.Scheme {
		return fmt.Errorf("%w: the server %s redirects to the scheme %.20q, which is not followed, see the option url",
			remote.ErrUnsupported, from.Host, to.Scheme)
	}
	name := to.Hostname()
	if c.keepAuth || strings.EqualFold(name, c.base.Hostname()) {
		return nil
	}
	for _, allowed := range c.redirects {
		if allowed == "*" || strings.EqualFold(name, allowed) {
			return nil
		}
	}
	return fmt.Errorf("%w: the server %s redirects to the host %.100q, which is not followed, see the option redirect_hosts",
		remote.ErrUnsupported, from.Host, name)
}

func isRedirect(code int) bool {
	switch code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
		return true
	}
	return false
}

// IsSlashRedirect reports whether resp redirects to the same path with a slash behind it.
func IsSlashRedirect(resp *http.Response) bool {
	if !isRedirect(resp.StatusCode) {
		return false
	}
	to, err := resp.Location()
	return err == nil && to.Path == resp.Request.URL.Path+"/"
}

// maxDrain is how much of an answer that nobody wants is read to use its connection again.
const maxDrain = 64 << 10

// Drain reads the rest of a short answer and closes it.
func Drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
	resp.Body.Close()
}
