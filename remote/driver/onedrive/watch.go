package onedrive

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"

	"ferry/remote"
)

// leastInterval is how often the service is asked for changes at most.
const leastInterval = time.Second

// Watch implements remote.Watcher: the service is asked every interval what has changed on the
// drive. Folders of others that are linked into it are not part of that.
func (r *Remote) Watch(ctx context.Context, interval time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		taken := true
		err := r.watch(ctx, max(interval, leastInterval), func(c remote.Change) bool {
			taken = yield(c, nil)
			return taken
		})
		if taken {
			yield(remote.Change{}, remote.Fail("watch", ".", err))
		}
	}
}

// watch calls tell with every change until it returns false.
func (r *Remote) watch(ctx context.Context, interval time.Duration, tell func(remote.Change) bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r.known.keep()
	root, err := r.look(ctx, ".")
	if err != nil {
		return err
	}
	feed := &feed{remote: r, root: root.item.ID}
	if feed.link, err = feed.latest(ctx); err != nil {
		return err
	}
	if !tell(remote.Everything()) {
		return nil
	}
	for {
		if err := remote.Sleep(ctx, interval); err != nil {
			return err
		}
		changes, err := feed.poll(ctx)
		if codeOf(err) == http.StatusGone { // the service has forgotten where the feed was
			if feed.link, err = feed.latest(ctx); err == nil {
				changes = []remote.Change{remote.Everything()}
			}
		}
		if err != nil {
			return err
		}
		for _, c := range changes {
			if !tell(c) {
				return nil
			}
		}
	}
}

// A feed tells what has changed since a link was given.
type feed struct {
	remote *Remote
	root   string // id of the folder that the remote begins at
	link   *url.URL
}

// latest returns the link for changes from now on.
func (f *feed) latest(ctx context.Context) (*url.URL, error) {
	query := url.Values{"token": {"latest"}, "$select": {fields}}.Encode()
	c := call{method: http.MethodGet, to: f.remote.drive + "/root/delta", query: query}
	for bound := f.remote.opt.Network.Listing(); ; {
		var p page
		if err := f.remote.api.do(ctx, c, &p); err != nil {
			return nil, err
		}
		if err := bound.Page(len(p.Value)); err != nil {
			return nil, err
		}
		if p.Delta != "" {
			return f.remote.api.own(p.Delta)
		}
		var err error
		if c.url, err = f.remote.api.own(p.Next); err != nil {
			return nil, err
		}
	}
}

// maxChanges is how many changes of one poll are told one by one.
const maxChanges = 10_000

// poll returns what has changed. The link is the next one only when all was read.
func (f *feed) poll(ctx context.Context) ([]remote.Change, error) {
	var items []*item
	many := false
	c := call{method: http.MethodGet, url: f.link, header: map[string]string{"deltaExcludeParent": "true"}}
	for bound := f.remote.opt.Network.Listing(); ; {
		var p page
		if err := f.remote.api.do(ctx, c, &p); err != nil {
			return nil, err
		}
		if err := bound.Page(len(p.Value)); err != nil {
			return nil, err
		}
		if many = many || len(items)+len(p.Value) > maxChanges; !many {
			items = append(items, p.Value...)
		}
		next, err := f.remote.api.own(p.Next + p.Delta)
		if err != nil {
			return nil, err
		}
		if p.Delta == "" {
			c.url = next
			continue
		}
		changes := []remote.Change{remote.Everything()}
		if !many {
			if changes, err = f.changes(ctx, items); err != nil {
				return nil, err
			}
		}
		f.link = next
		return changes, nil
	}
}
