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

// rename moves an item in one request; conflict is what becomes of another one in its new place. It
// succeeds also when its answer was lost but it was done. What stays in doubt it reports.
func (r *Remote) rename(ctx context.Context, i ref, to place, conflict string) error {
	var doubt atomic.Bool
	asking := remote.WithUnanswered(ctx, func() { doubt.Store(true) })
	asks := newPlace{&parent{ID: to.folder}, to.name, conflict}
	err := r.api.do(asking, call{method: http.MethodPatch, to: i.address(), sends: asks}, nil)
	if err == nil || !doubt.Load() {
		return err
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	var now item
	askErr := r.api.do(settling, call{method: http.MethodGet, to: i.address(), query: "%24select=id,name,parentReference"}, &now)
	if askErr == nil && now.Name == to.name && now.Parent.ID == to.folder {
		return nil
	}
	remote.Unanswered(ctx)
	return err
}
