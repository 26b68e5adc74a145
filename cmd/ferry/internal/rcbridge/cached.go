package rcbridge

import (
	"context"
	"io"
	"io/fs"
	"time"

	"ferry/cache"
	"ferry/cmd/ferry/internal/places"
	"ferry/rc"
)

// What package rc asks for besides where there is a disk cache.
var (
	_ rc.Queuer  = cachedTree{}
	_ rc.Flusher = cachedTree{}
	_ rc.Keeper  = cachedTree{}
	_ rc.Holder  = cachedTree{}
)

// cachedTree tells of a tree with a disk cache.
type cachedTree struct {
	tree
	cache places.Cache
}

// Stats adds the cache, by rclone's names. Those that mean nothing here are left out.
func (t cachedTree) Stats() rc.TreeStats {
	s, kept, waiting := t.tree.Stats(), t.cache.Stats(), t.Waiting()
	s.DiskCache = map[string]any{
		"path": t.cache.Dir, "bytesUsed": kept.Used, "files": kept.Waiting.Files + kept.Clean.Files,
		"uploadsInProgress": waiting.Uploading, "uploadsQueued": waiting.Changes - waiting.Uploading,
		"erroredFiles": kept.Lost.Files, "outOfSpace": kept.Limit > 0 && kept.Used >= kept.Limit,
	}
	return s
}

// Queue implements rc.Queuer.
func (t cachedTree) Queue() []rc.Queued {
	var all []rc.Queued
	for _, q := range t.FS.Queue() {
		all = append(all, rc.Queued{ID: q.ID, Name: q.Name, Size: q.Size, Expiry: q.Expiry, Tries: q.Tries, Delay: q.Delay, Because: q.Because, Uploading: q.Uploading})
	}
	return all
}

// Flush implements rc.Flusher.
func (t cachedTree) Flush(ctx context.Context, path string) error { return t.FS.Flush(ctx, path) }

// Refused implements rc.Keeper.
func (t cachedTree) Refused() ([]rc.Refused, error) {
	lost, err := t.FS.Refused()
	var all []rc.Refused
	for _, l := range lost {
		all = append(all, rc.Refused{ID: l.ID, Name: l.Name, Size: l.Size, Since: l.Committed.Round(time.Second).UTC(), Reason: l.Reason})
	}
	return all, err
}

// Retry implements rc.Keeper.
func (t cachedTree) Retry(id string) error { return t.RetryRefused(id) }

// Drop implements rc.Keeper.
func (t cachedTree) Drop(id string) error { return t.DropRefused(id) }

// Export implements rc.Keeper.
func (t cachedTree) Export(id, to string) error { return t.cache.Export(id, to) }

// OpenRefused implements rc.Holder.
func (t cachedTree) OpenRefused(id string) (rc.Held, error) {
	lost, err := t.FS.Refused()
	if err != nil {
		return rc.Held{}, err
	}
	for _, l := range lost {
		if l.ID != id {
			continue
		}
		content, err := t.cache.OpenLost(id)
		if err != nil {
			return rc.Held{}, err
		}
		return rc.Held{ReadCloser: held{content.Section(), content}, Name: l.Name, Size: content.Size()}, nil
	}
	return rc.Held{}, fs.ErrNotExist
}

// OpenQueued implements rc.Holder.
func (t cachedTree) OpenQueued(id int64) (rc.Held, error) {
	for _, r := range t.cache.Pending() {
		if int64(r.Seq) != id || r.Kind != cache.File {
			continue
		}
		content, err := t.cache.OpenContent(r.ID)
		if err != nil {
			return rc.Held{}, err
		}
		return rc.Held{ReadCloser: held{content.Section(), content}, Name: r.Name, Size: content.Size()}, nil
	}
	return rc.Held{}, fs.ErrNotExist
}

// held is a content and its end.
type held struct {
	io.Reader
	io.Closer
}
