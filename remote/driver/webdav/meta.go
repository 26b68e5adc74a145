package webdav

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// SetModTime implements remote.ModTimer, where the vendor is one whose servers can.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	err := check(ctx, name)
	if err == nil && !r.vendor.patchTime {
		err = remote.ErrUnsupported
	}
	if err == nil && r.tooEarly(t) {
		err = remote.ErrInvalid
	}
	if err == nil {
		err = remote.AttemptTime(t, timeGrain, func() (time.Time, error) {
			e, err := r.stat(ctx, name)
			return e.ModTime, err
		}, func(t time.Time) error { return r.setModTime(ctx, name, t) })
	}
	return remote.Fail("setmodtime", name, err)
}

// timeGrain is what the coarsest file systems of servers round times to.
const timeGrain = 2 * time.Second

// tooEarly reports whether the server is known to refuse t.
func (r *Remote) tooEarly(t time.Time) bool {
	return r.vendor.firstTime != 0 && t.Unix() < r.vendor.firstTime
}

// CheckTime implements remote.TimeChecker. What lies beyond the times that are common is a
// question of the server's disk.
func (r *Remote) CheckTime(name string, t time.Time) error {
	switch {
	case r.tooEarly(t):
		return remote.Fail("checktime", name, remote.ErrInvalid)
	case !remote.CommonTime(t):
		return remote.Fail("checktime", name, remote.ErrUnsupported)
	}
	return nil
}

func (r *Remote) setModTime(ctx context.Context, name string, t time.Time) error {
	body := fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?><d:propertyupdate xmlns:d="DAV:"><d:set><d:prop>`+
		`<d:lastmodified>%d</d:lastmodified></d:prop></d:set></d:propertyupdate>`, t.Unix())
	req := r.client.Request(ctx, "PROPPATCH", r.url(name, false), strings.NewReader(body))
	req.Header.Set("Content-Type", `application/xml; charset="utf-8"`)
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusMultiStatus {
		return httpclient.Refused(resp)
	}
	defer resp.Body.Close()
	done := false
	err = responses(resp.Body, r.network.Listing(), func(one *response) bool {
		_, done = one.props()
		return false
	})
	if err == nil && !done {
		err = remote.ErrUnsupported
	}
	return err
}

// Hash implements remote.Hasher, where the server keeps checksums that clients gave it: ownCloud
// and Nextcloud.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	err := check(ctx, name)
	if err == nil && !r.vendor.owncloud {
		err = remote.ErrUnsupported
	}
	if err != nil {
		return nil, remote.Fail("hash", name, err)
	}
	p, err := r.props(ctx, name, entryProps+checksumProps)
	switch {
	case err != nil:
		return nil, remote.Fail("hash", name, err)
	case p.Collection != nil:
		return nil, remote.Fail("hash", name, remote.ErrIsDir)
	}
	// One element holds them all, separated by blanks: SHA1:... MD5:... ADLER32:...
	for sum := range strings.FieldsSeq(strings.Join(p.Checksums, " ")) {
		kind, digits, _ := strings.Cut(sum, ":")
		if raw, err := hex.DecodeString(digits); strings.EqualFold(kind, algorithm) && err == nil && len(raw) > 0 {
			return raw, nil
		}
	}
	return nil, remote.Fail("hash", name, remote.ErrUnsupported)
}

// Usage implements remote.Usager, where the server knows quotas (RFC 4331).
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	none := remote.Usage{Total: -1, Used: -1, Free: -1}
	if err := check(ctx, "."); err != nil {
		return none, remote.Fail("usage", ".", err)
	}
	p, err := r.props(ctx, ".", quotaProps)
	if err != nil {
		return none, remote.Fail("usage", ".", err)
	}
	u := remote.Usage{Total: -1, Used: bytesOf(p.Used), Free: bytesOf(p.Available)}
	if u.Used < 0 && u.Free < 0 {
		return none, remote.Fail("usage", ".", remote.ErrUnsupported)
	}
	if u.Used >= 0 && u.Free >= 0 {
		u.Total = u.Used + u.Free
	}
	return u, nil
}

// bytesOf reads a number of bytes; what a server says of no limit or of an unknown one is below 0.
func bytesOf(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
