package onedrive

import (
	"context"
	"net/http"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// grain is the precision with which the service keeps times.
func (r *Remote) grain() time.Duration {
	if r.opt.DriveType == Personal {
		return time.Millisecond
	}
	return time.Second
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	err := check(ctx, name)
	if err == nil {
		err = remote.AttemptTime(t, r.grain(), func() (time.Time, error) {
			f, err := r.look(ctx, name)
			if err != nil {
				return time.Time{}, err
			}
			return f.item.content().modTime(), nil
		}, func(t time.Time) error { return r.setModTime(ctx, name, t) })
	}
	return remote.Fail("setmodtime", name, err)
}

func (r *Remote) setModTime(ctx context.Context, name string, t time.Time) error {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return remote.ErrInvalid // it cannot be written
	}
	f, err := r.look(ctx, name)
	if err != nil {
		return err
	}
	if _, err := r.setTimes(ctx, f.target, t); err != nil {
		return err
	}
	if r.opt.NoVersions && !f.item.isDir() {
		finishing, release := remote.Committed(ctx)
		defer release()
		r.dropVersions(finishing, name, f.target)
	}
	return nil
}

// setTimes sets the modification time of an item, and returns what it is then.
func (r *Remote) setTimes(ctx context.Context, i ref, t time.Time) (*item, error) {
	asks := struct {
		Times *times `json:"fileSystemInfo"`
	}{timeOf(t, r.grain())}
	now := new(item)
	return now, r.api.do(ctx, call{method: http.MethodPatch, to: i.address(), sends: asks}, now)
}

// dropVersions removes the old versions of a file. That it cannot does not make the change a
// failure.
func (r *Remote) dropVersions(ctx context.Context, name string, i ref) {
	var all struct {
		Value []struct {
			ID string `json:"id"`
		} `json:"value"`
	}
	err := r.api.do(ctx, call{method: http.MethodGet, to: i.address() + "/versions"}, &all)
	for n := 1; err == nil && n < len(all.Value); n++ { // the first one is the current one
		err = r.api.do(quiet(ctx), call{method: http.MethodDelete, to: i.address() + "/versions/" + httpclient.Escape(all.Value[n].ID)}, nil)
	}
	if err != nil {
		remote.Warn(ctx, "old versions of a file stay, see the option no_versions", "name", name, "error", err)
	}
}

// Hash implements remote.Hasher: QuickXor on every drive, sha1 and sha256 on some.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	if err := check(ctx, name); err != nil {
		return nil, remote.Fail("hash", name, err)
	}
	f, err := r.look(ctx, name)
	switch {
	case err != nil:
		return nil, remote.Fail("hash", name, err)
	case f.item.isDir():
		return nil, remote.Fail("hash", name, remote.ErrIsDir)
	}
	if sum := f.item.hash(algorithm); sum != nil {
		return sum, nil
	}
	return nil, remote.Fail("hash", name, remote.ErrUnsupported)
}

// Usage implements remote.Usager.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	none := remote.Usage{Total: -1, Used: -1, Free: -1}
	if err := check(ctx, "."); err != nil {
		return none, remote.Fail("usage", ".", err)
	}
	var d struct {
		Quota *struct {
			Total     int64 `json:"total"`
			Used      int64 `json:"used"`
			Remaining int64 `json:"remaining"`
		} `json:"quota"`
	}
	if err := r.api.do(ctx, call{method: http.MethodGet, to: r.drive, query: "%24select=id,quota"}, &d); err != nil {
		return none, remote.Fail("usage", ".", err)
	}
	if d.Quota == nil {
		return none, remote.Fail("usage", ".", remote.ErrUnsupported)
	}
	u := remote.Usage{Total: -1, Used: d.Quota.Used, Free: -1}
	if d.Quota.Total > 0 { // else nobody limits it, or nobody says
		u.Total, u.Free = d.Quota.Total, max(d.Quota.Remaining, 0)
	}
	return u, nil
}
