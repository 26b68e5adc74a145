package onedrive

import (
	"context"
	"net/http"
	"sync/atomic"

	"ferry/remote"
)

// A place is where an item is to be: in a folder, under a name as the service has it.
type place struct{ folder, name string }

// A newPlace asks for an item to be moved.
type newPlace struct {
	Parent   *parent `json:"parentReference,omitempty"`
	Name     string  `json:"name"`
	Conflict string  `json:"@microsoft.graph.conflictBehavior,omitempty"`
}

// rename moves an item in one request, whatever it has become.
func (r *Remote) rename(ctx context.Context, i ref, to place, conflict string) error {
	_, err := r.renameAt(ctx, i, "", to, conflict)
	return err
}

// renameAt moves an item in one request, if it still has the tag, where one is given, and returns
// its new one; conflict is what becomes of another one in its new place. It succeeds also when its
// answer was lost but it was done. What stays in doubt it reports.
func (r *Remote) renameAt(ctx context.Context, i ref, tag string, to place, conflict string) (now string, err error) {
	var doubt atomic.Bool
	asking := remote.WithUnanswered(ctx, func() { doubt.Store(true) })
	asks := newPlace{Name: to.name, Conflict: conflict}
	if to.folder != "" {
		asks.Parent = &parent{ID: to.folder}
	}
	c := call{method: http.MethodPatch, to: i.address(), sends: asks}
	if tag != "" {
		c.header = map[string]string{"If-Match": tag}
	}
	var is item
	err = r.api.do(asking, c, &is)
	if err == nil || !doubt.Load() {
		return is.ETag, err
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	is = item{}
	look := call{method: http.MethodGet, to: i.address(), query: "%24select=id,name,eTag,parentReference"}
	askErr := r.api.do(settling, look, &is)
	if askErr == nil && is.Name == to.name && (to.folder == "" || is.Parent.ID == to.folder) {
		return is.ETag, nil
	}
	remote.Unanswered(ctx)
	return "", err
}

// delete removes an item, if it still has the version, where one is given.
func (r *Remote) delete(ctx context.Context, i ref, version string) error {
	c := call{method: http.MethodDelete, to: i.address()}
	if r.opt.HardDelete {
		c = call{method: http.MethodPost, to: i.address() + "/permanentDelete"}
	}
	if version != "" {
		c.header = map[string]string{"If-Match": version}
	}
	return r.api.do(ctx, c, nil)
}
