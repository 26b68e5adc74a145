package google

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/textproto"
)

// UploadWhole stores content in one request, which is a call of an upload: what it sends describes
// the content, of the type contentType. The answer is decoded into stored.
func (s *Service) UploadWhole(ctx context.Context, c Call, contentType string, content []byte, stored any) error {
	head, tail, kind, err := around(c.Sends, contentType)
	if err != nil {
		return err
	}
	body := func() (io.ReadCloser, error) { // the content is not copied for it
		return io.NopCloser(io.MultiReader(bytes.NewReader(head), bytes.NewReader(content), bytes.NewReader(tail))), nil
	}
	first, _ := body() // never fails
	r, err := s.uploadRequest(ctx, c, "multipart", first)
	if err != nil {
		return err
	}
	r.GetBody = body
	r.ContentLength = int64(len(head) + len(content) + len(tail))
	r.Header.Set("Content-Type", kind)
	answer, err := s.Send(r)
	if err != nil {
		return err
	}
	return Decode(answer, stored)
}

// around returns what comes before and behind a content in a request that has it and what describes
// it, and the type of the request.
func around(describes any, contentType string) (head, tail []byte, kind string, err error) {
	described, err := json.Marshal(describes)
	if err != nil {
		return nil, nil, "", err
	}
	var b bytes.Buffer // which never fails
	w := multipart.NewWriter(&b)
	p, _ := w.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/json"}})
	_, _ = p.Write(described)
	_, _ = w.CreatePart(textproto.MIMEHeader{"Content-Type": {contentType}})
	length := b.Len()
	_ = w.Close()
	return b.Bytes()[:length:length], b.Bytes()[length:], "multipart/related; boundary=" + w.Boundary(), nil
}
