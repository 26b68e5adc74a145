package metricsbridge

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ferry/cmd/ferry/internal/flags"
)

// An Answer is what a server says of its health.
type Answer struct {
	Status  string
	Reasons []struct{ Check, Reason string }
}

// Err returns what is wrong, nil if nothing is.
func (a Answer) Err() error {
	if a.Status == "ok" {
		return nil
	}
	var all []string
	for _, r := range a.Reasons {
		all = append(all, r.Check+": "+r.Reason)
	}
	return fmt.Errorf("%s: %s", a.Status, strings.Join(all, " "))
}

// askLimit is how long a server may take to answer.
const askLimit = 8 * time.Second

// maxAnswer bounds an answer.
const maxAnswer = 1 << 20

// AskHealth asks a server for a page of its health. addr is a URL, host:port, :port or unix:///path
// of a socket. Certificates are not verified: nothing secret is sent.
func AskHealth(ctx context.Context, addr, page string) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	base, transport, err := reach(addr)
	if err != nil {
		return Answer{}, err
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(page).String(), nil)
	if err != nil {
		return Answer{}, err
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return Answer{}, err
	}
	var a Answer
	if json.Unmarshal(body, &a) != nil || a.Status == "" {
		return Answer{}, fmt.Errorf("the answer is %s and says nothing of health: is %s the address of --metrics-addr or --rc-addr?", resp.Status, addr)
	}
	return a, nil
}

// reach returns the URL in front of the pages and what reaches it.
func reach(addr string) (*url.URL, *http.Transport, error) {
	t := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	if path, ok := strings.CutPrefix(addr, flags.UnixScheme); ok {
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}
		return &url.URL{Scheme: "http", Host: "localhost"}, t, nil
	}
	if !strings.Contains(addr, "://") {
		addr = "http://" + addr
	}
	u, err := url.Parse(addr)
	if err != nil {
		return nil, nil, err
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "" || ip != nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort("localhost", u.Port()) // it listens on every address
	}
	return u, t, nil
}
