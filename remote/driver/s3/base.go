package s3

import (
	"context"
	"io"
	"net/http"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"
)

// fetchHead reads the first n bytes of an object, which are too few for a part of their own, or
// cannot be copied as one.
func (u *upload) fetchHead(ctx context.Context, info minio.ObjectInfo, n int64) error {
	c, err := u.r.get(ctx, u.at, 0, n, info.ETag)
	if err != nil {
		return err
	}
	defer c.Close()
	got, err := io.Copy(u, c)
	if err == nil && got != n {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// copyFrom makes the next parts of the first n bytes of an object. They are of one length, as none
// may be too short.
func (m *multipart) copyFrom(from place, info minio.ObjectInfo, n int64) error {
	pieces := (n + m.r.opt.CopyCutoff - 1) / m.r.opt.CopyCutoff
	size := (n + pieces - 1) / pieces
	header := m.r.copyHeader(info)
	for off := int64(0); off < n; off += size {
		length := min(size, n-off)
		i, number, err := m.reserve(chunkSlots, length)
		if err != nil {
			return err
		}
		m.spawn(func(ctx context.Context) {
			defer m.free(chunkSlots)
			m.task(ctx, i, func(id string) (minio.CompletePart, error) {
				return m.r.again.CopyObjectPart(ctx, from.Bucket, from.Name, m.at.Bucket, m.at.Name, id, number, off, length, header)
			})
		})
	}
	return nil
}

// copyHeader is what each request that copies from the object has: it must be the one that was
// looked at.
func (r *Remote) copyHeader(info minio.ObjectInfo) map[string]string {
	h := http.Header{}
	if sse := r.opt.customer(); sse != nil {
		sse.Marshal(h)
		encrypt.SSECopy(sse).Marshal(h)
	}
	header := map[string]string{}
	for k := range h {
		header[k] = h.Get(k)
	}
	if info.ETag != "" {
		header["x-amz-copy-source-if-match"] = `"` + info.ETag + `"`
	}
	return header
}
