package drive

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
)

// Stat implements remote.Remote.
func (r *Remote) Stat(ctx context.Context, name string) (remote.Entry, error) {
	var e remote.Entry
	err := remote.Check(ctx, name)
	if err == nil {
		err = r.again(func() (err error) {
			e, err = r.stat(ctx, name)
			return err
		})
	}
	return e, r.fail("stat", name, err)
}

func (r *Remote) stat(ctx context.Context, name string) (remote.Entry, error) {
	_, base := remote.Split(name)
	f, content, err := r.lookup(ctx, name)
	if err != nil {
		return remote.Entry{}, err
	}
	return r.entry(base, f, content), nil
}

// lookup returns the file called name, and the one that it leads to if it is a shortcut.
func (r *Remote) lookup(ctx context.Context, name string) (f, content *file, err error) {
	if name == "." {
		f, err := r.statRoot(ctx)
		return f, f, err
	}
	it, err := r.named(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	content, err = r.content(ctx, it.file)
	return it.file, content, err
}

// named returns what is called name, which is not the root.
func (r *Remote) named(ctx context.Context, name string) (item, error) {
	dir, base := remote.Split(name)
	folder, err := r.dir(ctx, dir)
	if err != nil {
		return item{}, err
	}
	return r.find(ctx, folder, base)
}

// statRoot describes the root of the remote.
func (r *Remote) statRoot(ctx context.Context) (*file, error) {
	id, err := r.dir(ctx, ".")
	if err != nil {
		return nil, err
	}
	if id == sharedRoot {
		// A request finds out whether the service can be reached.
		err := r.service.list(ctx, r.in(id), "", 1, "id", func(*file) bool { return false })
		return &file{ID: id, MimeType: folderType, Capabilities: &capabilities{}}, err
	}
	f, err := r.service.get(ctx, id, fileFields)
	if err != nil && r.base == "." {
		err = r.noRoot(err)
	}
	if err == nil && !f.isFolder() {
		err = remote.ErrNotDir
	}
	return f, err
}

// SetModTime implements remote.ModTimer.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	err := r.checkNew(ctx, name)
	if err == nil {
		err = r.again(func() error { return r.setModTime(ctx, name, t) })
	}
	return r.fail("setmodtime", name, err)
}

func (r *Remote) setModTime(ctx context.Context, name string, t time.Time) error {
	_, content, err := r.lookup(ctx, name)
	if err != nil {
		return err
	}
	return remote.AttemptTime(t, timeGrain, func() (time.Time, error) {
		now, err := r.service.get(ctx, content.ID, "id,modifiedTime")
		if err != nil {
			return time.Time{}, err
		}
		return readTime(now.ModifiedTime), nil
	}, func(t time.Time) error { return r.patchTime(ctx, content.ID, t) })
}

// patchTime sets the time of a file. A year that has no four digits cannot be written.
func (r *Remote) patchTime(ctx context.Context, id string, t time.Time) error {
	if !writable(t) {
		return remote.ErrInvalid
	}
	wanted := writeTime(t)
	return settled(ctx, func(ctx context.Context) error {
		_, err := r.service.patch(ctx, id, url.Values{}, change{ModifiedTime: wanted})
		return err
	}, func(ctx context.Context) bool {
		f, err := r.service.get(ctx, id, "id,modifiedTime")
		return err == nil && readTime(f.ModifiedTime).Equal(readTime(wanted))
	})
}

// writable reports whether t can be sent.
func writable(t time.Time) bool { return t.UTC().Year() >= 1 && t.UTC().Year() <= 9999 }

// Hash implements remote.Hasher.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	var sum []byte
	err := remote.Check(ctx, name)
	if err == nil {
		err = r.again(func() (err error) {
			sum, err = r.hash(ctx, name, algorithm)
			return err
		})
	}
	return sum, r.fail("hash", name, err)
}

func (r *Remote) hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	if algorithm != "md5" && algorithm != "sha1" && algorithm != "sha256" {
		return nil, remote.ErrUnsupported
	}
	f, content, err := r.lookup(ctx, name)
	if err != nil {
		return nil, err
	}
	if f.isFolder() {
		return nil, remote.ErrIsDir
	}
	sum, err := hex.DecodeString(map[string]string{"md5": content.MD5, "sha1": content.SHA1, "sha256": content.SHA256}[algorithm])
	if err != nil || len(sum) == 0 {
		return nil, remote.ErrUnsupported
	}
	return sum, nil
}

// Usage implements remote.Usager. A shared drive has no limit, and does not say what it holds.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	none := remote.Usage{Total: -1, Used: -1, Free: -1}
	if err := remote.Check(ctx, "."); err != nil {
		return none, r.fail("usage", ".", err)
	}
	if r.options.TeamDrive != "" {
		return none, r.fail("usage", ".", remote.ErrUnsupported)
	}
	var about struct {
		StorageQuota struct {
			Limit string `json:"limit"` // none where there is no limit
			Usage string `json:"usage"`
		} `json:"storageQuota"`
	}
	query := url.Values{"fields": {"storageQuota(limit,usage)"}}
	if err := r.service.Do(ctx, google.Call{Method: http.MethodGet, Path: "about", Query: query}, &about); err != nil {
		return none, r.fail("usage", ".", err)
	}
	u := none
	if n, err := strconv.ParseInt(about.StorageQuota.Usage, 10, 64); err == nil && n >= 0 {
		u.Used = n
	}
	if n, err := strconv.ParseInt(about.StorageQuota.Limit, 10, 64); err == nil && n >= 0 {
		u.Total = n
		if u.Used >= 0 {
			u.Free = max(n-u.Used, 0)
		}
	}
	return u, nil
}
