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

	"github.com/spf13/pflag"

	"ferry/cmd/ferry/internal/flags"
)

// maxResult bounds the answer to a call.
const maxResult = 256 << 20

// A Server is where a remote control is, and who calls.
type Server struct {
	URL, Socket    string // one of them
	User, Password string // "" = none is given
	CACert         string // file (PEM); "" = the system's
}

// Flags adds the flags that say where it is.
func (s *Server) Flags(f *pflag.FlagSet) {
	f.StringVar(&s.URL, "url", "", "Address of the server: a URL, host:port or :port")
	f.StringVar(&s.Socket, "unix-socket", "", "Path of the socket of the server, instead of --url")
	f.StringVar(&s.User, "user", "", "User name for the server")
	f.StringVar(&s.Password, "pass", "", "Password for the server")
	f.StringVar(&s.CACert, "ca-cert", "", "Certificate file (PEM) that the server's certificate is checked with, for a self-signed one")
}

// Complete takes from o what a Server leaves out.
func (s *Server) Complete(o *flags.RCOptions) error {
	if s.URL != "" && s.Socket != "" {
		return flags.Usagef("--url and --unix-socket exclude each other: give one of them")
	}
	if path, ok := strings.CutPrefix(s.URL, flags.UnixScheme); ok {
		s.URL, s.Socket = "", path
	}
	if s.URL == "" && s.Socket == "" {
		addr := o.Addrs[0]
		if path, ok := strings.CutPrefix(addr, flags.UnixScheme); ok {
			s.Socket = path
		} else {
			s.URL = addr
		}
	}
	if s.User == "" && s.Password == "" {
		s.User, s.Password = o.User, o.Pass.Reveal()
	}
	return nil
}

// Post makes the call over HTTP and returns the JSON that answers it, also with an error of the
// call.
func (s *Server) Post(ctx context.Context, path string, params map[string]any) ([]byte, error) {
	base, transport, err := s.reach()
	if err != nil {
		return nil, err
	}
	defer transport.CloseIdleConnections()
	body, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	if params == nil {
		body = []byte("{}")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if s.User != "" || s.Password != "" {
		req.SetBasicAuth(s.User, s.Password)
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, s.explain(err)
	}
	defer resp.Body.Close()
	result, err := io.ReadAll(io.LimitReader(resp.Body, maxResult))
	if err != nil {
		return nil, fmt.Errorf("the answer to %s broke off: %w", path, err)
	}
	return s.judge(path, resp, result)
}

// judge turns an answer that is not a success into an error.
func (s *Server) judge(path string, resp *http.Response, result []byte) ([]byte, error) {
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
	return nil, fmt.Errorf("%s: the answer is %s and no result: is %s the address of a remote control?", path, resp.Status, s.where())
}

// reach returns the URL in front of the calls and what reaches it.
func (s *Server) reach() (*url.URL, *http.Transport, error) {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if s.Socket != "" {
		var d net.Dialer
		t.Proxy = nil
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", s.Socket) }
		return &url.URL{Scheme: "http", Host: "localhost"}, t, nil
	}
	text := s.URL
	if strings.HasPrefix(text, ":") {
		text = "localhost" + text
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	base, err := url.Parse(text)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, nil, flags.Usagef("--url %q: use http://host:port/, https://host:port/, host:port or :port", s.URL)
	}
	if s.CACert != "" {
		pem, err := os.ReadFile(s.CACert)
		if err != nil {
			return nil, nil, fmt.Errorf("--ca-cert: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, nil, flags.Usagef("--ca-cert %q: there is no certificate in it", s.CACert)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return base, t, nil
}

// where names the server, without a password that is in its URL.
func (s *Server) where() string {
	if s.Socket != "" {
		return s.Socket
	}
	if u, err := url.Parse(s.URL); err == nil && u.User != nil {
		return u.Redacted()
	}
	return s.URL
}

// explain says what to do about a server that cannot be reached.
func (s *Server) explain(err error) error {
	if op := new(net.OpError); errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("no remote control answers at %s: start the server with --rc, or give --url or --unix-socket (%w)", s.where(), op.Err)
	}
	if u := new(url.Error); errors.As(err, &u) {
		err = u.Err // without the URL, in which there may be a password
	}
	return fmt.Errorf("calling %s: %w", s.where(), err)
}
