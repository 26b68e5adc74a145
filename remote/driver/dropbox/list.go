package dropbox

import (
	"context"
	"fmt"
	"iter"

	"ferry/remote"
)

type listArg struct {
	Path      string `json:"path"`
	Recursive bool   `json:"recursive,omitempty"`
	Limit     int    `json:"limit,omitempty"`
}

type cursorArg struct {
	Cursor string `json:"cursor"`
}

type listPage struct {
	Entries []metadata `json:"entries"`
	Cursor  string     `json:"cursor"`
	More    bool       `json:"has_more"`
}

// omittedDocument is why a document is not listed.
const omittedDocument = "it is a document of an editor, which has no content and can only be exported"

// List implements remote.Remote.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return remote.Entries(func(take func(remote.Entry) bool) error {
		err := remote.Check(ctx, dir)
		if err == nil {
			err = r.list(ctx, dir, 0, take)
		}
		return fail("list", dir, err)
	})
}

// list gives the entries of dir to take, until that returns false; limit is how many of them a page
// has, 0 = as many as Dropbox likes.
func (r *Remote) list(ctx context.Context, dir string, limit int, take func(remote.Entry) bool) error {
	l := lister{r: r, take: take}
	bound := r.opt.Network.Listing()
	var page listPage
	err := r.service.rpc(ctx, "files/list_folder", listArg{Path: r.path(dir), Limit: limit}, &page)
	for {
		if err != nil {
			return unreadable(err)
		}
		if err := bound.Page(len(page.Entries)); err != nil {
			return err
		}
		if more := l.page(ctx, page.Entries); !more {
			return context.Cause(ctx) // nil where nobody wants more
		}
		if !page.More {
			break
		}
		cursor := page.Cursor
		page = listPage{}
		err = r.service.rpc(ctx, "files/list_folder/continue", cursorArg{cursor}, &page)
	}
	if l.good == 0 && l.bad > 0 {
		return fmt.Errorf("%w: no name of %d can be used", remote.ErrMalformed, l.bad)
	}
	return nil
}

// A lister turns pages into entries.
type lister struct {
	r         *Remote
	take      func(remote.Entry) bool
	good, bad int
}

// page gives what is on a page, and reports whether more is wanted.
func (l *lister) page(ctx context.Context, entries []metadata) bool {
	for i := range entries {
		m := &entries[i]
		if m.Tag == tagDeleted { // while the listing was under way
			continue
		}
		if m.document() {
			l.good++
			remote.Omitted(ctx, m.Name, omittedDocument)
			continue
		}
		base, bad := remote.ReadName(l.r.opt.Encoding, m.Name)
		if bad != "" {
			l.bad++
			remote.Omitted(ctx, m.Name, bad)
			continue
		}
		l.good++
		if ctx.Err() != nil || !l.take(m.entry(base)) {
			return false
		}
	}
	return true
}
