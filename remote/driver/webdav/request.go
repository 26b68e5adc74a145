package webdav

import (
	"context"
	"net/http"
	"net/url"

	"ferry/remote/driver/internal/httpclient"
)

// url returns the address of name; the one of a directory ends with a slash.
func (r *Remote) url(name string, dir bool) *url.URL {
	return httpclient.Below(r.base, encode(r.encoding, name), dir)
}

// send sends a request without a body, of which the answer's status is all that matters.
func (r *Remote) send(ctx context.Context, method string, u *url.URL, header ...string) (int, error) {
	req := r.client.Request(ctx, method, u, nil)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, err
	}
	if ok(resp.StatusCode) {
		httpclient.Drain(resp)
		return resp.StatusCode, nil
	}
	return resp.StatusCode, httpclient.Refused(resp)
}

// ok reports whether a request was done completely. 207 holds a list of what was not done.
func ok(status int) bool { return status >= 200 && status < 300 && status != http.StatusMultiStatus }
