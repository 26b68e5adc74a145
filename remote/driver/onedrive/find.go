package onedrive

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// A found is an item that a name led to.
type found struct {
	item   *item
	self   ref // what is renamed and removed
	target ref // what has the content; another than self where the item is a link
}

// find finds the item called name. Where the path leads nowhere, there may be a link in it.
func (r *Remote) find(ctx context.Context, name string) (*found, error) {
	f, err := r.ask(ctx, name, r.at(name))
	if !errors.Is(err, remote.ErrNotExist) {
		return f, err
	}
	linked, probeErr := r.probe(ctx, name)
	if probeErr != nil || !linked {
		return nil, errors.Join(err, probeErr)
	}
	return r.ask(ctx, name, r.at(name))
}

// probe looks for a link among the directories above name, and reports whether it found one.
func (r *Remote) probe(ctx context.Context, name string) (linked bool, err error) {
	for i := range len(name) {
		dir := name[:i]
		if name[i] != '/' || r.mounts.isPlain(dir) {
			continue
		}
		at := r.at(name)
		f, err := r.ask(ctx, dir, r.at(dir))
		switch {
		case errors.Is(err, remote.ErrNotExist):
			return false, nil
		case err != nil:
			return false, err
		case !f.item.isDir():
			return false, nil
		case r.at(name) != at:
			return true, nil
		}
	}
	return false, nil
}

// ask asks for the item at an address. What is hidden does not exist.
func (r *Remote) ask(ctx context.Context, name string, at addr) (*found, error) {
	i := new(item)
	query := url.Values{"$select": {fields + ",@microsoft.graph.downloadUrl"}}.Encode()
	err := r.api.do(ctx, call{method: http.MethodGet, to: at.item(), query: query}, i)
	if err != nil {
		return nil, err
	}
	if i.ID == "" {
		return nil, remote.ErrMalformed
	}
	if i.isNotebook() && !r.opt.OneNote {
		return nil, remote.ErrNotExist
	}
	drive := r.drive
	if mount, _, ok := r.mounts.find(name); ok {
		drive = mount.drive
	}
	return r.took(name, i, drive), nil
}

// took makes a found of an item of a drive, and remembers what kind of directory it is.
func (r *Remote) took(name string, i *item, drive string) *found {
	f := &found{item: i, self: ref{drive, i.ID}}
	f.target = f.self
	if i.Remote != nil && i.Remote.ID != "" && i.Remote.Parent.DriveID != "" {
		f.target = ref{"/drives/" + httpclient.Escape(i.Remote.Parent.DriveID), i.Remote.ID}
	}
	if i.isDir() && name != "." {
		r.mounts.saw(name, f)
		r.known.saw(i.ID, name)
	}
	return f
}
