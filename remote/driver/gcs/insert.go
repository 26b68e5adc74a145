package gcs

import (
	"context"
	"io"
	"net/url"

	"ferry/remote/driver/internal/objects"
)

// insert stores body, in one request if it is shorter than a chunk, else chunk by chunk, each of
// which is sent again when that fails. Nothing of it shows before the end of body.
func (s *store) insert(ctx context.Context, k objects.Key, o *object, body io.Reader, memory *memory) (*object, error) {
	buf, err := memory.chunk(ctx)
	if err != nil {
		return nil, err
	}
	first, err := fill(buf, body)
	switch {
	case err == io.EOF:
		stored, err := s.insertWhole(ctx, k, o, first)
		if err == nil {
			memory.Recycle(first)
		}
		return stored, err
	case err != nil:
		return nil, err
	}
	u, err := s.service.startResumable(ctx, bucketPath(k.Bucket)+"/o", s.insertQuery(k), o)
	if err != nil {
		return nil, err
	}
	return u.sendAll(ctx, first, body, memory)
}

// insertWhole stores content in one request.
func (s *store) insertWhole(ctx context.Context, k objects.Key, o *object, content []byte) (*object, error) {
	return s.service.insertWhole(ctx, bucketPath(k.Bucket)+"/o", s.insertQuery(k), o, content)
}

func (s *store) insertQuery(k objects.Key) url.Values {
	query := url.Values{"name": {k.Name}, "fields": {fields}}
	s.setACL(query, "predefinedAcl")
	return query
}

// An inserting is an insert whose body comes by Write.
type inserting struct {
	*io.PipeWriter
	done   chan struct{}
	object *object // once it is done
	err    error   // once it is done
}

func (s *store) startInsert(ctx context.Context, k objects.Key, o *object, memory *memory) *inserting {
	body, w := io.Pipe()
	i := &inserting{PipeWriter: w, done: make(chan struct{})}
	go func() {
		defer close(i.done)
		i.object, i.err = s.insert(ctx, k, o, body, memory)
		_ = body.CloseWithError(i.err) // wakes a Write; without an error there is none
	}()
	return i
}

// end ends the body, with an error that gives it up or nil, and waits for the answer.
func (i *inserting) end(err error) (*object, error) {
	_ = i.CloseWithError(err) // never fails
	<-i.done
	return i.object, i.err
}
