package onedrive

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

const (
	// staleAge is how old a hidden file must be that a killed process left for a listing to remove
	// it.
	staleAge = 24 * time.Hour
	maxSweep = 8 // how many of them one listing removes
	// sweepTime is how long that may take.
	sweepTime = 10 * time.Second
)

// A page is a part of a listing, or of what has changed.
type page struct {
	Value []*item `json:"value"`
	Next  string  `json:"@odata.nextLink"`
	Delta string  `json:"@odata.deltaLink"`
}

// List implements remote.Remote.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return remote.Entries(func(take func(remote.Entry) bool) error {
		err := check(ctx, dir)
		if err == nil {
			err = r.list(ctx, dir, take)
		}
		return remote.Fail("list", dir, err)
	})
}

// list gives the entries of dir to take, until that returns false.
func (r *Remote) list(ctx context.Context, dir string, take func(remote.Entry) bool) error {
	query := url.Values{"$top": {strconv.Itoa(r.opt.ListChunk)}, "$select": {fields}}.Encode()
	in, drive := r.inside(dir)
	l := &listing{remote: r, dir: dir, drive: drive, shown: map[string]bool{}}
	began := time.Now()
	defer func() { l.sweep(ctx) }()
	c := call{method: http.MethodGet, to: in.of("children"), query: query}
	p, err := r.firstPage(ctx, l, c)
	for bound := r.opt.Network.Listing(); err == nil; {
		if err := bound.Page(len(p.Value)); err != nil {
			return err
		}
		for _, i := range p.Value {
			if i != nil && !l.entry(ctx, i, take) {
				return nil
			}
		}
		if p.Next == "" && !l.untidy {
			r.asides.none(dir, began)
		}
		if p.Next == "" || ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if c.url, err = r.api.own(p.Next); err != nil {
			return err
		}
		p = new(page)
		err = r.api.do(ctx, c, p)
	}
	return err
}

// firstPage gets the first page of a listing. Where nothing is on it, it finds out whether there is
// such a directory, and whether it is a link.
func (r *Remote) firstPage(ctx context.Context, l *listing, c call) (*page, error) {
	p := new(page)
	err := r.api.do(ctx, c, p)
	if err == nil && len(p.Value) > 0 {
		return p, nil
	}
	again, err := r.explainList(ctx, l, err)
	if err != nil || again == "" {
		return p, err
	}
	c.to = again
	return p, r.api.do(ctx, c, p)
}

// explainList finds out why a directory has no entries, or cannot be listed. again is where the
// entries are that it has after all.
func (r *Remote) explainList(ctx context.Context, l *listing, err error) (again string, why error) {
	if err != nil && codeOf(err) == 0 || ctx.Err() != nil || codeOf(err) == http.StatusUnauthorized {
		return "", err
	}
	f, statErr := r.look(ctx, l.dir)
	switch {
	case errors.Is(statErr, remote.ErrNotExist):
		return "", remote.ErrNotExist
	case statErr != nil:
		return "", statErr
	case !f.item.isDir():
		return "", remote.ErrNotDir
	case f.target != f.self || err != nil && f.self.drive != l.drive: // a link, or below one
		l.drive = f.target.drive
		return f.target.address() + "/children", nil
	}
	return "", err
}

// A listing is one of a directory.
type listing struct {
	remote *Remote
	dir    string
	drive  string
	stale  []ref           // hidden files that were left long ago, a few of them
	shown  map[string]bool // folded names of the entries so far
	untidy bool            // something was aside
}

// entry gives one item to take, unless it is not to be shown, and reports whether to go on.
func (l *listing) entry(ctx context.Context, i *item, take func(remote.Entry) bool) bool {
	r := l.remote
	if i.Deleted != nil || i.isNotebook() && !r.opt.OneNote {
		return true
	}
	base := r.opt.Encoding.Decode(i.Name)
	switch {
	case partname.Hidden(base):
		when := i.touched()
		if len(l.stale) < maxSweep && !when.IsZero() && r.ages.Exceed(when, staleAge) {
			l.stale = append(l.stale, ref{l.drive, i.ID})
		}
		return true
	case !remote.ValidName(base) || !remote.ValidName(i.Name) || i.ID == "":
		remote.Omitted(ctx, i.Name, remote.OmittedName)
		return true
	}
	if replaced, ok := asideFrom(base); ok {
		return l.aside(ctx, replaced, i, take)
	}
	if l.isShown(base) {
		return true
	}
	name := remote.Join(l.dir, base)
	if i.isDir() {
		r.took(name, i, l.drive)
	} else {
		r.known.saw(i.ID, name)
	}
	return take(i.entry(base))
}

// isShown reports whether a file was listed already, and takes note of it: one that is aside may be
// met before or after it.
func (l *listing) isShown(base string) bool {
	folded := strings.ToLower(base)
	was := l.shown[folded]
	l.shown[folded] = true
	return was
}

// aside has what is aside get its name back, or go, and gives the file called base to take.
func (l *listing) aside(ctx context.Context, base string, i *item, take func(remote.Entry) bool) bool {
	l.untidy = true
	if i.isDir() {
		remote.Omitted(ctx, i.Name, remote.OmittedName)
		return true
	}
	f, err := l.remote.finishReplacement(ctx, remote.Join(l.dir, base))
	switch {
	case errors.Is(err, remote.ErrNotExist):
		return true
	case err != nil:
		remote.Warn(ctx, "a file that was to be replaced does not get its name back", "name", i.Name, "error", err)
		return true
	case l.isShown(base):
		return true
	}
	return take(f.item.entry(base))
}

// sweep removes hidden files that were left. It does not matter when that fails.
func (l *listing) sweep(ctx context.Context) {
	if len(l.stale) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(quiet(context.WithoutCancel(ctx)), sweepTime)
	defer cancel()
	for _, left := range l.stale {
		_ = l.remote.api.do(ctx, call{method: http.MethodDelete, to: left.address()}, nil)
	}
}
