package s3

import (
	"context"
	"io"
	"net/http"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
	"ferry/remote/driver/internal/objects"
)

// Open implements objects.Store.
func (s service) Open(ctx context.Context, k objects.Key, off, n int64) (objects.Content, error) {
	c, err := s.r.get(ctx, k, off, n, "")
	return c, s.r.translate(err)
}

// get asks for n bytes from off on of the object that has this ETag, or of any without one.
func (r *Remote) get(ctx context.Context, at place, off, n int64, etag string) (objects.Content, error) {
	o := minio.GetObjectOptions{ServerSideEncryption: r.opt.customer()}
	if span := httpclient.Range(off, n); span != "" {
		o.Set("Range", span)
	}
	if etag != "" {
		if err := o.SetMatchETag(etag); err != nil {
			return objects.Content{}, err
		}
	}
	body, info, header, err := r.once.GetObject(ctx, at.Bucket, at.Name, o)
	if isCode(err, "InvalidRange") {
		info, err := r.head(ctx, at) // behind the end is nothing, if there is such a file
		return objects.Content{ReadCloser: http.NoBody, Object: r.describe(at, info)}, err
	}
	if err != nil {
		return objects.Content{}, err
	}
	length := info.Size
	if size, ok := httpclient.TotalSize(header.Get("Content-Range")); ok {
		info.Size = size
	}
	read := &reader{source: remote.ContextReader(ctx, body), Closer: body, remains: length, translate: r.translate}
	return objects.Content{ReadCloser: read, Object: r.describe(at, info)}, nil
}

// A reader reads the answer to a request for an object. It makes sure that all of it arrives.
type reader struct {
	io.Closer
	source    io.Reader
	remains   int64 // below 0 when the server did not say
	translate func(error) error
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.source.Read(p)
	if r.remains >= 0 {
		r.remains -= int64(n)
	}
	switch {
	case err == io.EOF && r.remains > 0:
		return n, io.ErrUnexpectedEOF
	case err != nil && err != io.EOF:
		return n, r.translate(err)
	}
	return n, err
}
