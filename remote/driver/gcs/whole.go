package gcs

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/crc32"
	"io"
	"mime/multipart"
	"net/textproto"
	"net/url"
)

// insertWhole stores content as what o describes, in one request; query tells where it goes.
func (s *service) insertWhole(ctx context.Context, path string, query url.Values, o *object, content []byte) (*object, error) {
	described := *o
	described.CRC32C = encodeSum(crc32.Checksum(content, castagnoli()))
	head, tail, kind, err := around(&described)
	if err != nil {
		return nil, err
	}
	body := func() (io.ReadCloser, error) { // the content is not copied for it
		return io.NopCloser(io.MultiReader(bytes.NewReader(head), bytes.NewReader(content), bytes.NewReader(tail))), nil
	}
	first, _ := body() // never fails
	r, err := s.uploadRequest(ctx, path, "multipart", query, first)
	if err != nil {
		return nil, err
	}
	r.GetBody = body
	r.ContentLength = int64(len(head) + len(content) + len(tail))
	r.Header.Set("Content-Type", kind)
	answer, err := s.send(r)
	if err != nil {
		return nil, err
	}
	stored := new(object)
	return stored, decode(answer, stored)
}

// around returns what comes before and behind the content of o in a request that has both, and the
// type of the request.
func around(o *object) (head, tail []byte, kind string, err error) {
	described, err := json.Marshal(o)
	if err != nil {
		return nil, nil, "", err
	}
	var b bytes.Buffer // which never fails
	w := multipart.NewWriter(&b)
	p, _ := w.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/json"}})
	_, _ = p.Write(described)
	_, _ = w.CreatePart(textproto.MIMEHeader{"Content-Type": {o.ContentType}})
	length := b.Len()
	_ = w.Close()
	return b.Bytes()[:length:length], b.Bytes()[length:], "multipart/related; boundary=" + w.Boundary(), nil
}
