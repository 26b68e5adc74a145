package drive

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
)

// mostFailures is how often in a row the feed may fail to answer before a watch ends.
const mostFailures = 3

// Watch implements remote.Watcher by the feed of changes of the account or the shared drive, which
// is asked every interval.
func (r *Remote) Watch(ctx context.Context, interval time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		w := &watch{r: r}
		w.yield = func(c remote.Change) bool {
			w.stopped = w.stopped || !yield(c, nil)
			return !w.stopped
		}
		err := remote.Check(ctx, ".")
		if err == nil {
			err = w.run(ctx, interval)
		}
		if !w.stopped {
			yield(remote.Change{}, r.fail("watch", ".", err))
		}
	}
}

// A watch follows the feed.
type watch struct {
	r       *Remote
	yield   func(remote.Change) bool
	stopped bool // nobody takes any more
	root    string
	token   string // of what comes next in the feed
}

func (w *watch) run(ctx context.Context, interval time.Duration) error {
	var err error
	if w.root, err = w.r.dir(ctx, "."); err != nil {
		return err
	}
	w.r.seen.begin()
	defer w.r.seen.end()
	if err := w.start(ctx); err != nil {
		return err
	}
	if !w.everything() {
		return nil
	}
	ticker := time.NewTicker(max(interval, time.Millisecond))
	defer ticker.Stop()
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
		err := w.poll(ctx)
		switch {
		case w.stopped:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case google.HasCode(err, http.StatusNotFound), google.HasCode(err, http.StatusBadRequest), google.HasCode(err, http.StatusGone):
			// The token is too old.
			if failures++; failures >= mostFailures {
				return err
			}
			if err := w.start(ctx); err != nil {
				return err
			}
			if !w.everything() {
				return nil
			}
		case err != nil:
			if failures++; failures >= mostFailures || remote.Permanent(w.r.service.translate(err)) {
				return err
			}
		default:
			failures = 0
		}
	}
}

// everything says that all may have changed.
func (w *watch) everything() bool {
	w.r.dirs.forget()
	return w.yield(remote.Everything())
}

// start finds out where the feed is now.
func (w *watch) start(ctx context.Context) error {
	var answer struct {
		Token string `json:"startPageToken"`
	}
	query := w.query("")
	query.Set("fields", "startPageToken")
	err := w.r.service.Do(ctx, google.Call{Method: http.MethodGet, Path: "changes/startPageToken", Query: query}, &answer)
	if err == nil && answer.Token == "" {
		err = remote.ErrMalformed
	}
	w.token = answer.Token
	return err
}

func (w *watch) query(token string) url.Values {
	query := shared(url.Values{})
	if token != "" {
		query.Set("pageToken", token)
		query.Set("pageSize", "1000")
		query.Set("includeRemoved", "true")
		query.Set("includeItemsFromAllDrives", "true")
		query.Set("fields", "nextPageToken,newStartPageToken,changes(fileId,removed,file("+fileFields+"))")
		if w.r.service.inAppFolder() {
			query.Set("spaces", "appDataFolder")
		}
	}
	if w.r.options.TeamDrive != "" {
		query.Set("driveId", w.r.options.TeamDrive)
	}
	return query
}

// A feedPage is a page of the feed.
type feedPage struct {
	Next    string       `json:"nextPageToken"`
	Start   string       `json:"newStartPageToken"`
	Changes []feedChange `json:"changes"`
}

// A feedChange is what the feed tells of a file; of a shared drive it tells no file.
type feedChange struct {
	FileID  string `json:"fileId"`
	Removed bool   `json:"removed"`
	File    *file  `json:"file"`
}

// poll passes on what has changed since the last time. A page whose changes could not be passed on
// as a whole comes again.
func (w *watch) poll(ctx context.Context) error {
	late, full := w.r.seen.round()
	if full && !w.everything() {
		return nil
	}
	for _, p := range late {
		paths, err := w.r.pathsAt(ctx, p, w.root, 0)
		if err != nil {
			w.r.seen.forgot()
			return err
		}
		if !w.tell(paths, remote.Change{Dir: p.dir, Below: p.dir}) {
			return nil
		}
	}
	for {
		var page feedPage
		if err := w.r.service.Do(ctx, google.Call{Method: http.MethodGet, Path: "changes", Query: w.query(w.token)}, &page); err != nil {
			return err
		}
		for _, c := range page.Changes {
			if c.FileID == "" {
				continue
			}
			if err := w.pass(ctx, c); err != nil || w.stopped {
				return err
			}
		}
		switch {
		case page.Next != "" && page.Next != w.token:
			w.token = page.Next
		case page.Start != "":
			w.token = page.Start
			return nil
		default:
			return remote.ErrMalformed
		}
	}
}

// pass passes on one change: where the file was, and where it is.
func (w *watch) pass(ctx context.Context, c feedChange) error {
	f := c.File
	var now *place
	if f != nil && !c.Removed {
		f.ID = c.FileID
		p := w.r.placeOf(f)
		now = &p
	} else {
		f = &file{ID: c.FileID}
	}
	was, known, shortcuts := w.r.seen.at(c.FileID)
	known = known && was.folder != ""
	var before, after []string
	var err error
	if known {
		if before, err = w.r.pathsAt(ctx, was, w.root, 0); err != nil {
			return err
		}
	}
	if now != nil {
		if after, err = w.r.pathsAt(ctx, *now, w.root, 0); err != nil {
			return err
		}
	}
	for _, s := range shortcuts { // what they lead to has changed
		p, _, _ := w.r.seen.at(s)
		paths, err := w.r.pathsAt(ctx, p, w.root, 0)
		if err != nil {
			return err
		}
		after = append(after, paths...)
	}
	gone := c.Removed || f.Trashed && !w.r.options.TrashedOnly
	if gone {
		w.r.seen.change(c.FileID, f, nil)
	} else {
		w.r.seen.change(c.FileID, f, now)
	}
	dir := f.isFolder() || known && was.dir
	moved := !known || gone || now != nil && was != *now
	if dir && moved {
		w.r.dirs.forget()
	}
	before = slices.DeleteFunc(before, func(p string) bool { return !gone && slices.Contains(after, p) })
	if w.tell(before, remote.Change{Dir: dir, Below: dir, Removed: true}) {
		w.tell(after, remote.Change{Dir: dir, Below: dir && moved, Removed: gone, Version: versionOf(f)})
	}
	return nil
}

// versionOf is that of the entry of f, "" where it has none.
func versionOf(f *file) string {
	if f.isFolder() || f.Trashed || f.Shortcut != nil {
		return ""
	}
	return f.HeadRevisionID
}

// tell passes a change on under each path.
func (w *watch) tell(paths []string, c remote.Change) bool {
	for _, path := range paths {
		c.Name = path
		if path == "." { // the root itself is not among what changes
			continue
		}
		if !w.yield(c) {
			return false
		}
	}
	return true
}
