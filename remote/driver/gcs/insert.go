package gcs

import (
	"cmp"
	"context"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"

	"ferry/remote/driver/internal/google"
	"ferry/remote/driver/internal/objects"
)

// insert stores body, in one request if it is shorter than a chunk, else chunk by chunk, each of
// which is sent again when that fails. Nothing of it shows before the end of body.
func (s *store) insert(ctx context.Context, i insertion, body io.Reader, memory *google.Memory, note notes) (*object, error) {
	buf, err := memory.Chunk(ctx)
	if err != nil {
		return nil, err
	}
	first, err := google.Fill(buf, body)
	switch {
	case err == io.EOF:
		stored, err := s.insertWhole(ctx, i, first)
		if err == nil {
			memory.Recycle(first)
		}
		return stored, err
	case err != nil:
		note.rest(first)
		return nil, err
	}
	u, err := s.service.StartResumable(ctx, s.call(i, i.describes), i.describes.ContentType)
	if err != nil {
		return nil, err
	}
	return s.sendAll(ctx, u, first, body, memory, note)
}

// resume goes on with an insert that another process began.
func (s *store) resume(ctx context.Context, at google.Place, body io.Reader, memory *google.Memory, note notes) (*object, error) {
	buf, err := memory.Chunk(ctx)
	if err != nil {
		return nil, err
	}
	first, err := google.Fill(buf, body)
	switch {
	case err == io.EOF:
		body = nil
	case err != nil:
		note.rest(first)
		return nil, err
	}
	return s.sendAll(ctx, s.service.ContinueResumable(at), first, body, memory, note)
}

// notes are told what there is of an insert when it is cut.
type notes struct {
	confirmed func(at google.Place)
	rest      func(chunk []byte)
}

func (s *store) sendAll(
	ctx context.Context, u *google.Resumable, first []byte, body io.Reader, memory *google.Memory, note notes,
) (*object, error) {
	u.Confirmed, u.Rest = note.confirmed, note.rest
	u.Sum = func(sum uint32) (header, value string) { return "X-Goog-Hash", "crc32c=" + encodeSum(sum) }
	stored := new(object)
	return stored, u.SendAll(ctx, first, body, memory, stored)
}

// insertWhole stores content in one request.
func (s *store) insertWhole(ctx context.Context, i insertion, content []byte) (*object, error) {
	described := *i.describes
	described.CRC32C = encodeSum(crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)))
	stored := new(object)
	return stored, s.service.UploadWhole(ctx, s.call(i, &described), described.ContentType, content, stored)
}

// An insertion is where an object is stored, and as what.
type insertion struct {
	at        objects.Key
	describes *object
	only      *string // the generation of what may be replaced, "" for none; nil = any
}

// call is the call that stores what o describes.
func (s *store) call(i insertion, o *object) google.Call {
	query := url.Values{"name": {i.at.Name}, "fields": {fields}}
	s.setACL(query, "predefinedAcl")
	if i.only != nil {
		query.Set("ifGenerationMatch", cmp.Or(*i.only, "0")) // 0 is that of no object
	}
	return google.Call{Method: http.MethodPost, Path: bucketPath(i.at.Bucket) + "/o", Query: query, Sends: o}
}

// An inserting is an insert whose body comes by Write.
type inserting struct {
	*io.PipeWriter
	done   chan struct{}
	object *object // once it is done
	err    error   // once it is done
}

// start lets insert read a body that comes by Write.
func start(insert func(body io.Reader) (*object, error)) *inserting {
	body, w := io.Pipe()
	i := &inserting{PipeWriter: w, done: make(chan struct{})}
	go func() {
		defer close(i.done)
		i.object, i.err = insert(body)
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
