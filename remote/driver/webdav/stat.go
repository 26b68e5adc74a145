package webdav

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if err := check(ctx, name); err != nil {
		return remote.Entry{}, remote.Fail("stat", name, err)
	}
	e, err := r.settled(ctx, name)
	return e, remote.Fail("stat", name, err)
}

// settled asks for the properties of name, and once more when name may just have been replaced:
// some servers delete the old file first.
func (r *Remote) settled(ctx context.Context, name string) (remote.Entry, error) {
	before, busy := r.replaced.Load(), r.names.Busy(name)
	e, err := r.stat(ctx, name)
	var status *httpclient.StatusError
	if err == nil || !errors.Is(err, remote.ErrNotExist) && !errors.As(err, &status) {
		return e, err
	}
	if !busy && !r.names.Busy(name) && r.replaced.Load() == before {
		return e, err
	}
	release, lockErr := r.names.Look(ctx, name)
	if lockErr != nil {
		return e, lockErr
	}
	defer release()
	return r.stat(ctx, name)
}

// stat asks for the properties of name.
func (r *Remote) stat(ctx context.Context, name string) (remote.Entry, error) {
	p, err := r.props(ctx, name, r.entryProps())
	if err != nil {
		return remote.Entry{}, r.explainStat(ctx, name, err)
	}
	_, base := remote.Split(name)
	return r.entry(base, p), nil
}

// explainStat finds out why a server does not say that name is missing: below a file, and for names
// that it could not hold, some servers answer otherwise.
func (r *Remote) explainStat(ctx context.Context, name string, err error) error {
	var status *httpclient.StatusError
	if name == "." || !errors.As(err, &status) || ctx.Err() != nil {
		return err
	}
	switch status.Code {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusConflict:
	default:
		return err
	}
	dir, _ := remote.Split(name)
	parent, statErr := r.stat(ctx, dir)
	switch {
	case errors.Is(statErr, remote.ErrNotExist):
		return remote.ErrNotExist
	case statErr == nil && !parent.Dir:
		return remote.ErrNotDir
	case tooLong(name):
		return errors.Join(remote.ErrBadName, err)
	}
	return err
}

func (r *Remote) entryProps() string {
	if r.vendor.owncloud {
		return entryProps + owncloudProps
	}
	return entryProps
}

// props asks for properties of name.
func (r *Remote) props(ctx context.Context, name, wanted string) (props, error) {
	resp, err := r.propfind(ctx, r.url(name, name == "."), "0", wanted)
	if err == errNothing && name != "." { // what golang.org/x/net/webdav says of a file that disappears meanwhile
		return props{}, remote.ErrNotExist
	}
	if err != nil {
		return props{}, err
	}
	defer resp.Body.Close()
	var found props
	answered, code := false, http.StatusNotFound
	err = responses(resp.Body, r.network.Listing(), func(one *response) bool {
		found, _ = one.props() // none of them may be there, as is common for quotas
		answered = len(one.Propstats) > 0
		if c := statusOf(one.Status); c != 0 {
			code = c
		}
		return !answered
	})
	switch {
	case ctx.Err() != nil:
		return props{}, context.Cause(ctx)
	case err != nil:
		return props{}, err
	case !answered && code == http.StatusNotFound:
		return props{}, remote.ErrNotExist
	case !answered:
		return props{}, remote.ErrPermission
	}
	return found, nil
}

// entry makes an entry of what the server says of the resource called base.
func (r *Remote) entry(base string, p props) remote.Entry {
	e := remote.Entry{
		Name:    base,
		Size:    -1,
		ModTime: parseTime(p.Modified),
		Dir:     p.Collection != nil,
		Version: versionOf(p.ETag),
	}
	if n, err := strconv.ParseInt(p.Length, 10, 64); err == nil && n >= 0 {
		e.Size = n
	}
	if e.Dir {
		e.Size, e.Version = 0, ""
	}
	if p.Permissions != "" { // ownCloud: W a file may be written, C and K files and directories may be created
		e.ReadOnly = !strings.Contains(p.Permissions, "W") && !e.Dir || !strings.ContainsAny(p.Permissions, "CK") && e.Dir
	}
	return e
}

// versionOf drops the mark of a weak tag: Apache calls that of a file weak in its first second.
func versionOf(etag string) string { return strings.TrimPrefix(etag, "W/") }

// parseTime reads a time in the form that the standard wants, or in those that some servers send;
// zero for any other.
func parseTime(s string) time.Time {
	if t, err := http.ParseTime(s); err == nil {
		return t
	}
	for _, layout := range []string{time.RFC1123Z, time.RFC1123, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
