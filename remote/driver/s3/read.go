package s3

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// Open implements remote.Remote.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	at, err := r.begin(ctx, "open", name)
	if err != nil {
		return nil, err
	}
	if !at.object() || at == r.root {
		if _, err := r.checkBucket(ctx, at); err != nil {
			return nil, r.explain(ctx, "open", name, err)
		}
		return nil, fail("open", name, remote.ErrIsDir)
	}
	body, err := r.open(ctx, at, name, off, n)
	if err != nil {
		return nil, r.explain(ctx, "open", name, err)
	}
	return body, nil
}

func (r *Remote) open(ctx context.Context, at place, name string, off, n int64) (*reader, error) {
	q := r.dirs.Ask(ctx, at.name())
	defer q.Drop()
	body, err := r.get(ctx, at, name, off, n, "")
	var isDir bool
	if isMissing(err) {
		isDir, err = isOrMissing(ctx, q)
	} else if err == nil {
		if isDir, err = q.Hides(ctx, objects.Object{Name: at.key, Size: body.entry.Size}); err != nil || isDir {
			_ = body.Close()
		}
	}
	if err == nil && isDir {
		err = remote.ErrIsDir
	}
	return body, err
}

// notFile says why there is no object at a place.
func (r *Remote) notFile(ctx context.Context, at place) error {
	if err := r.checkDir(ctx, at); err != nil {
		return err
	}
	return remote.ErrIsDir
}

// get asks for n bytes from off on of the object that has this ETag, or of any without one.
func (r *Remote) get(ctx context.Context, at place, name string, off, n int64, etag string) (*reader, error) {
	if n == 0 || !at.name().HasObject() {
		info, err := r.head(ctx, at)
		if err != nil {
			return nil, err
		}
		return r.reader(ctx, at, name, info, io.NopCloser(bytes.NewReader(nil)), 0), nil
	}
	n = remote.ClipLength(off, n)
	o := minio.GetObjectOptions{ServerSideEncryption: r.opt.customer()}
	switch {
	case n > 0:
		o.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1))
	case off > 0:
		o.Set("Range", fmt.Sprintf("bytes=%d-", off))
	}
	if etag != "" {
		if err := o.SetMatchETag(etag); err != nil {
			return nil, err
		}
	}
	body, info, header, err := r.once.GetObject(ctx, at.bucket, at.key, o)
	if isCode(err, "InvalidRange") {
		return r.get(ctx, at, name, 0, 0, etag) // behind the end is nothing, if there is such a file
	}
	if err != nil {
		return nil, err
	}
	length := info.Size
	if size, ok := totalSize(header.Get("Content-Range")); ok {
		info.Size = size
	}
	return r.reader(ctx, at, name, info, body, length), nil
}

// totalSize reads the size of the whole object from a Content-Range (RFC 9110, section 14.4).
func totalSize(contentRange string) (int64, bool) {
	_, total, _ := strings.Cut(contentRange, "/")
	size, err := strconv.ParseInt(total, 10, 64)
	return size, err == nil
}

func (r *Remote) reader(ctx context.Context, at place, name string, info minio.ObjectInfo, body io.ReadCloser, length int64) *reader {
	_, base := remote.Split(name)
	return &reader{
		source: remote.ContextReader(ctx, body), body: body, remains: length, name: name, entry: r.entry(at, base, info),
		explain: func(err error) error { return r.explain(ctx, "read", name, err) },
	}
}

// A reader reads the answer to a request for an object. It makes sure that all of it arrives.
type reader struct {
	source  io.Reader
	body    io.Closer
	remains int64 // below 0 when the server did not say
	name    string
	entry   remote.Entry
	explain func(error) error
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.source.Read(p)
	if r.remains >= 0 {
		r.remains -= int64(n)
	}
	switch {
	case err == io.EOF && r.remains > 0:
		return n, fail("read", r.name, io.ErrUnexpectedEOF)
	case err != nil && err != io.EOF:
		return n, r.explain(err)
	}
	return n, err
}

// Described implements remote.Described.
func (r *reader) Described() (remote.Entry, bool) { return r.entry, true }

// Close ends the request.
func (r *reader) Close() error { return r.body.Close() }
