package handover

import (
	"context"
	"errors"
	"io"
	"path"
	"sync"

	"ferry/cache"
	"ferry/remote"
	"ferry/writeback"
)

// takeBytes is how large records are together that are fetched at a time, so that they do not wait
// for the space of each other. A larger one is fetched alone.
const takeBytes = 32 << 20

// A taking takes the records of a queue.
type taking struct {
	place *Place
	tree  string
	queue string
	to    Tree

	mu    sync.Mutex
	taken *Taken // guarded by mu
	left  int    // guarded by mu; records that could not be taken
}

// A fetched record is not that of this node yet.
type fetched struct {
	file, claim string
	header      *header      // nil = it was not fetched, or is gone
	draft       *cache.Draft // its content; nil = there is none
	err         error        // why it was not fetched
}

// isPlain reports whether r is a new file that no other record must precede.
func (r *fetched) isPlain() bool {
	return r.err == nil && r.header != nil && r.header.Kind == cache.File && len(r.header.Removes) == 0
}

// all takes records, in their order where that matters, up to the first that cannot be taken now.
func (q *taking) all(ctx context.Context, due []remote.Entry) error {
	for len(due) > 0 {
		n, size := 1, due[0].Size
		for n < min(len(due), takeAtOnce) && size+due[n].Size <= takeBytes {
			size += due[n].Size
			n++
		}
		if err := q.some(ctx, due[:n]); err != nil {
			return err
		}
		due = due[n:]
	}
	return nil
}

// some fetches all of due at a time, and then takes them.
func (q *taking) some(ctx context.Context, due []remote.Entry) error {
	records := make([]fetched, len(due))
	defer func() {
		for _, r := range records {
			if r.draft != nil {
				_ = r.draft.Abort() // after Commit it does nothing
			}
		}
	}()
	_ = severally(len(due), func(i int) error {
		records[i] = q.fetch(ctx, due[i].Name)
		return nil
	})
	for left := records; len(left) > 0; {
		n := run(left)
		if err := severally(n, func(i int) error { return q.takeOne(ctx, &left[i]) }); err != nil {
			return err
		}
		left = left[n:]
	}
	return nil
}

// run returns how many of the first records may be taken in any order.
func run(records []fetched) int {
	names := map[string]bool{}
	for i := range records {
		r := &records[i]
		if !r.isPlain() || names[string(r.header.Name)] {
			return max(i, 1)
		}
		names[string(r.header.Name)] = true
	}
	return len(records)
}

// fetch fetches a record, with its content.
func (q *taking) fetch(ctx context.Context, name string) (r fetched) {
	r.file, r.claim = path.Join(q.tree, q.queue, name), q.place.claim(q.tree, q.queue, name)
	for _, open := range q.to.Store().Claimed() {
		if open.Claim == r.claim {
			r.err = errOpen
			return r
		}
	}
	r.header, r.err = q.place.fetch(ctx, r.file, func(h *header) (w io.Writer, err error) {
		if string(h.Tree) != q.tree {
			return nil, errDamaged
		}
		if h.Kind != cache.File {
			return io.Discard, nil
		}
		if r.draft, err = q.to.Store().Create(ctx, cache.CreateOptions{Name: string(h.Name)}); err != nil {
			return nil, err
		}
		return r.draft, nil
	})
	if errors.Is(r.err, remote.ErrNotExist) {
		r.header, r.err = nil, nil // another one was quicker
	}
	return r
}

// errOpen says that a copy of the record is here already, for Settle.
var errOpen = errors.New("it is open whose the record is")

// takeOne takes a record that was fetched. One that stays where it is is counted.
func (q *taking) takeOne(ctx context.Context, r *fetched) error {
	p := q.place
	switch {
	case r.err == errOpen:
		q.leave()
		return nil
	case errors.Is(r.err, errDamaged):
		q.leave()
		p.tellDamaged(ctx, r.file, r.err)
		return nil
	case r.err != nil || r.header == nil:
		return r.err
	}
	rec := r.header.record()
	rec.Claim = r.claim
	took, err := q.to.TakeIn(ctx, writeback.Taking{
		Names: append([]string{rec.Name}, rec.Removes...), From: q.queue, InDoubt: r.header.InDoubt,
		Commit: func(ctx context.Context) (cache.Record, bool, error) {
			return p.commit(ctx, q.to.Store(), r.draft, rec)
		},
	})
	if err != nil || !took {
		return err
	}
	p.discard(ctx, r.file)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken.Changes++
	q.taken.Bytes += r.header.content()
	q.taken.From = r.header.Node
	return nil
}

func (q *taking) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.left++
}

// tellDamaged logs once that a record cannot be taken.
func (p *Place) tellDamaged(ctx context.Context, file string, err error) {
	p.mu.Lock()
	told := p.damaged[file]
	p.damaged[file] = true
	p.mu.Unlock()
	if !told {
		p.log.ErrorContext(ctx, "a change that was handed over cannot be read: it stays where it is", "file", file, "place", p.remote.Info().Name, "error", err)
	}
}

// fetch reads a record and checks it.
func (p *Place) fetch(ctx context.Context, file string, create func(h *header) (io.Writer, error)) (*header, error) {
	r, err := p.remote.Open(ctx, file, 0, -1)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return decode(remote.ContextReader(ctx, r), create)
}
