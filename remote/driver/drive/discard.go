package drive

import (
	"context"
	"net/http"
	"net/url"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
)

// discard puts a file into the trash, or deletes it.
func (r *Remote) discard(ctx context.Context, id string, forever bool) error {
	return settled(ctx, func(ctx context.Context) error {
		if forever {
			return r.service.Do(ctx, google.Call{Method: http.MethodDelete, Path: filePath(id), Query: shared(url.Values{})}, nil)
		}
		_, err := r.service.patch(ctx, id, url.Values{}, change{Trashed: new(true)})
		return err
	}, func(ctx context.Context) bool {
		f, err := r.service.get(ctx, id, "id,trashed")
		return google.HasCode(err, http.StatusNotFound) || err == nil && f.Trashed
	})
}

// discardNew removes what was made in vain, before anybody has seen it.
func (r *Remote) discardNew(ctx context.Context, made *file) {
	ctx = remote.WithUnanswered(ctx, func() {})
	if err := r.discard(ctx, made.ID, true); err != nil && !google.HasCode(err, http.StatusNotFound) {
		remote.Warn(ctx, "what was made at the same time as another of its name is still there", "name", made.Name)
	}
}

// discardReplaced removes what a file has replaced, which would come back when the name is taken
// from that.
func (r *Remote) discardReplaced(ctx context.Context, it item) error {
	for _, o := range it.others {
		if it.AppProperties[replacing+o.ID] != "" {
			if err := r.discard(ctx, o.ID, r.options.DeleteForever); err != nil {
				return err
			}
		}
	}
	return nil
}

// discardOld removes files that do not count any more. It does not matter when that fails: they
// still do not count.
func (r *Remote) discardOld(ctx context.Context, old []*file) {
	ctx = remote.WithUnanswered(ctx, func() {}) // which is no doubt about the new one
	for _, o := range old {
		if o.isFolder() || o.isDocument() {
			continue
		}
		if err := r.discard(ctx, o.ID, r.options.DeleteForever); err != nil && !google.HasCode(err, http.StatusNotFound) {
			remote.Warn(ctx, "a file that was replaced is still there, beside the new one", "name", o.Name)
		}
	}
}
