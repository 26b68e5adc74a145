package http

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"sync"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// List implements remote.Remote. A page tells little of its files, and each server in another way:
// so each file is asked for its size and time, a few at once, unless the options forbid it.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return remote.Entries(func(take func(remote.Entry) bool) error {
		err := remote.Check(ctx, dir)
		if err == nil {
			err = r.list(ctx, dir, take)
		}
		return remote.Fail("list", dir, err)
	})
}

// list gives the entries of dir to take, until that returns false.
func (r *Remote) list(ctx context.Context, dir string, take func(remote.Entry) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	req := r.client.Request(ctx, http.MethodGet, r.url(dir, true), nil)
	req.Header.Set("Accept", "text/html")
	resp, err := r.client.Get(req)
	if err == nil && (resp.StatusCode != http.StatusOK || !isPage(resp.Header)) {
		err = r.explainList(ctx, dir, resp)
	}
	if err != nil {
		cancel()
		return err
	}
	q := &queue{take: take}
	defer q.wait()
	defer cancel() // before q.wait, and for a page that nobody reads any more
	defer resp.Body.Close()
	var bad error
	p := newPage(resp.Request.URL, r.noEscape)
	p.omit = func(href string) { remote.Omitted(ctx, href, remote.OmittedName) }
	err = p.links(resp.Body, r.network.Listing(), func(l link) bool {
		bad = q.add(func() (remote.Entry, error) { return r.look(ctx, dir, l) })
		return bad == nil
	})
	if bad == nil && err == nil {
		bad = q.flush()
	}
	switch {
	case errors.Is(bad, errStopped):
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case bad != nil:
		return bad
	case err == nil && !p.known && p.other != "":
		return fmt.Errorf("%w: no link of the page leads into the directory or up, the first leads to %q", remote.ErrMalformed, p.other)
	}
	return err
}

// explainList finds out why there is no page for dir.
func (r *Remote) explainList(ctx context.Context, dir string, resp *http.Response) error {
	found := resp.StatusCode == http.StatusOK
	err := httpclient.Refused(resp)
	if found {
		err = errNoPage
	}
	if dir == "." || ctx.Err() != nil {
		return err
	}
	e, statErr := r.stat(ctx, dir)
	switch {
	case errors.Is(statErr, remote.ErrNotExist):
		return remote.ErrNotExist
	case statErr == nil && !e.Dir:
		return remote.ErrNotDir
	}
	return err
}

var errNoPage = errors.New("the server does not answer with a page that lists the directory")

// look makes an entry of a link. The zero Entry says that nothing is there.
func (r *Remote) look(ctx context.Context, dir string, l link) (remote.Entry, error) {
	switch {
	case l.dir:
		return remote.Entry{Name: l.name, Dir: true, ReadOnly: true}, nil
	case r.noHead && !r.noSlash:
		return remote.Entry{Name: l.name, Size: -1, ReadOnly: true}, nil
	}
	e, err := r.stat(ctx, remote.Join(dir, l.name))
	var status *httpclient.StatusError
	switch {
	case errors.Is(err, remote.ErrNotExist):
		return remote.Entry{}, nil
	case errors.As(err, &status) && status.Code < 500 && errors.Is(err, remote.ErrPermission):
		return remote.Entry{Name: l.name, Size: -1, ReadOnly: true}, nil
	}
	return e, err
}

// atOnce is how many files a listing asks for at the same time.
const atOnce = 8

// A queue runs a few calls at once and gives their entries to take in the order in which the calls
// came.
type queue struct {
	take    func(remote.Entry) bool
	pending []chan looked
	running sync.WaitGroup
}

type looked struct {
	entry remote.Entry
	err   error
}

var errStopped = errors.New("nobody takes the entries any more")

func (q *queue) add(look func() (remote.Entry, error)) error {
	if len(q.pending) == atOnce {
		if err := q.pop(); err != nil {
			return err
		}
	}
	c := make(chan looked, 1)
	q.pending = append(q.pending, c)
	q.running.Go(func() {
		e, err := look()
		c <- looked{e, err}
	})
	return nil
}

// pop takes the first entry.
func (q *queue) pop() error {
	l := <-q.pending[0]
	q.pending = append(q.pending[:0], q.pending[1:]...)
	switch {
	case l.err != nil:
		return l.err
	case l.entry.Name != "" && !q.take(l.entry):
		return errStopped
	}
	return nil
}

func (q *queue) flush() error {
	for len(q.pending) > 0 {
		if err := q.pop(); err != nil {
			return err
		}
	}
	return nil
}

func (q *queue) wait() { q.running.Wait() }
