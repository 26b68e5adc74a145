package union

import (
	"context"
	"errors"
	"io"
	"sync"

	"ferry/remote"
)

// Put implements remote.Remote. A file that is stored in several upstreams goes to all at the pace
// of the slowest. When one of them fails before the end, none stores it; later, the error tells
// where it was stored.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	e, err := r.put(ctx, name, body, o)
	return e, remote.Renamed("put", name, err)
}

func (r *Remote) put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if err := remote.Check(ctx, name); err != nil {
		return remote.Entry{}, err
	}
	ups, release, err := r.claim(ctx, name, r.targets)
	if err != nil {
		return remote.Entry{}, err
	}
	defer release()
	if len(ups) == 1 {
		o.FactsOf = ups[0].facts(ctx, o.FactsOf)
		e, err := ups[0].Remote.Put(ups[0].uploads(ctx), name, body, o)
		return ups[0].seen(e), err
	}
	return r.putAll(ctx, name, body, o, ups)
}

// putAll stores a file in several upstreams.
func (r *Remote) putAll(ctx context.Context, name string, body io.Reader, o remote.PutOptions, ups []*upstream) (remote.Entry, error) {
	entries, errs := make([]remote.Entry, len(ups)), make([]error, len(ups))
	pipes := make([]*io.PipeWriter, len(ups))
	var wg sync.WaitGroup
	for i, u := range ups {
		rd, wr := io.Pipe()
		pipes[i] = wr
		own := o
		wg.Go(func() {
			own.FactsOf = u.facts(ctx, o.FactsOf)
			entries[i], errs[i] = u.Remote.Put(u.uploads(ctx), name, rd, own)
			_ = rd.CloseWithError(cause(errs[i], errEarly))
		})
	}
	// Whoever blocks in a Write is let go when its Put ends, at the latest with ctx.
	at, err := distribute(pipes, body)
	unlock := func() {}
	if err == nil {
		if unlock, err = r.names.Change(ctx, name); err != nil { // of two uploads the same one is last everywhere
			at, unlock = -1, func() {}
		}
	}
	for _, p := range pipes {
		_ = p.CloseWithError(err) // nil is the end of the file
	}
	wg.Wait()
	unlock()
	switch {
	case err != nil && at < 0: // that of the body
		return remote.Entry{}, err
	case err != nil:
		return remote.Entry{}, ups[at].fail(cause(errs[at], err))
	}
	return ups[0].seen(entries[0]), together(ups, errs)
}

// errEarly is the error of a write to an upload that has ended well before its body did.
var errEarly = errors.New("the upload has ended before the file")

// distribute copies body to all of the writers. It returns which one failed, -1 if that was body.
func distribute(to []*io.PipeWriter, body io.Reader) (int, error) {
	buf := make([]byte, 64<<10)
	for {
		n, err := body.Read(buf)
		for i, w := range to {
			if n == 0 {
				break
			}
			if _, err := w.Write(buf[:n]); err != nil {
				return i, err
			}
		}
		switch {
		case err == io.EOF:
			return -1, nil
		case err != nil:
			return -1, err
		}
	}
}

// facts is the name of the file whose facts are taken over, if this upstream has it.
func (u *upstream) facts(ctx context.Context, name string) string {
	if name == "" {
		return ""
	}
	if _, err := u.Remote.Stat(ctx, name); absent(err) {
		return ""
	}
	return name
}
