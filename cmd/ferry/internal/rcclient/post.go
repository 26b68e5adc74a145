package rcclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"ferry/cmd/ferry/internal/flags"
)

// maxResult bounds the answer to a call.
const maxResult = 256 << 20

// post makes the call over HTTP and returns the JSON that answers it, also with an error of the
// call.
func (c *call) post(ctx context.Context, path string) ([]byte, error) {
	base, transport, err := c.server()
	if err != nil {
		return nil, err
	}
	defer transport.CloseIdleConnections()
	body, err := json.Marshal(c.params)
	if err != nil {
		return nil, err
	}
	if c.params == nil {
		body = []byte("{}")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.user != "" || c.pass != "" {
		req.SetBasicAuth(c.user, c.pass)
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, c.explain(err)
	}
	defer resp.Body.Close()
	result, err := io.ReadAll(io.LimitReader(resp.Body, maxResult))
	if err != nil {
		return nil, fmt.Errorf("the answer to %s broke off: %w", path, err)
	}
	return c.judge(path, resp, result)
}

// judge turns an answer that is not a success into an error.
func (c *call) judge(path string, resp *http.Response, result []byte) ([]byte, error) {
	var answer struct {
		Error string
	}
	isJSON := json.Unmarshal(result, &answer) == nil
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return nil, errors.New("the server wants another user name or password: give --user and --pass")
	case resp.StatusCode/100 == 2 && isJSON:
		return result, nil
	case isJSON && answer.Error != "":
		return result, fmt.Errorf("%s: %s", path, answer.Error)
	}
	return nil, fmt.Errorf("%s: the answer is %s and no result: is %s the address of a remote control?", path, resp.Status, c.where())
}

// server returns the URL in front of the calls and what reaches it.
func (c *call) server() (*url.URL, *http.Transport, error) {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if c.socket != "" {
		var d net.Dialer
		t.Proxy = nil
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", c.socket) }
		return &url.URL{Scheme: "http", Host: "localhost"}, t, nil
	}
	text := c.url
	if strings.HasPrefix(text, ":") {
		text = "localhost" + text
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	base, err := url.Parse(text)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, nil, flags.Usagef("--url %q: use http://host:port/, https://host:port/, host:port or :port", c.url)
	}
	if c.caCert != "" {
		pem, err := os.ReadFile(c.caCert)
		if err != nil {
			return nil, nil, fmt.Errorf("--ca-cert: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, nil, flags.Usagef("--ca-cert %q: there is no certificate in it", c.caCert)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return base, t, nil
}

// where names the server, without a password that is in its URL.
func (c *call) where() string {
	if c.socket != "" {
		return c.socket
	}
	if u, err := url.Parse(c.url); err == nil && u.User != nil {
		return u.Redacted()
	}
	return c.url
}

// explain says what to do about a server that cannot be reached.
func (c *call) explain(err error) error {
	if op := new(net.OpError); errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("no remote control answers at %s: start the server with --rc, or give --url or --unix-socket (%w)", c.where(), op.Err)
	}
	if u := new(url.Error); errors.As(err, &u) {
		err = u.Err // without the URL, in which there may be a password
	}
	return fmt.Errorf("calling %s: %w", c.where(), err)
}
