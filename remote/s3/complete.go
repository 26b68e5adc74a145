package s3

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

func errTooLong(parts int) error {
	return fmt.Errorf("%w: the file is longer than %d parts: raise chunk_size", remote.ErrTooLarge, parts)
}

// complete publishes the parts as the object, size bytes long in all. The upload is over when it returns nil.
func (m *multipart) complete(ctx context.Context, size int64) (minio.UploadInfo, error) {
	m.detach()
	if err := m.wait(ctx); err != nil {
		return minio.UploadInfo{}, err
	}
	id, _ := m.state()
	o := minio.PutObjectOptions{ServerSideEncryption: m.r.opt.customer()}
	info, err := m.r.again.CompleteMultipartUpload(ctx, m.at.bucket, m.at.key, id, m.parts, o)
	if err != nil && m.publishedAnyway(ctx, err, size) {
		info, err = minio.UploadInfo{ETag: m.etag()}, nil
	}
	if err != nil {
		return minio.UploadInfo{}, err
	}
	m.cancel(nil)
	return info, nil
}

// publishedAnyway reports whether the parts have become the object although the answer to complete was err: an answer
// that got lost, or one to the second try of a request whose first one was done.
func (m *multipart) publishedAnyway(ctx context.Context, err error, size int64) bool {
	var e minio.ErrorResponse
	if errors.As(err, &e) && e.Code != "NoSuchUpload" && e.StatusCode < http.StatusInternalServerError {
		return false
	}
	etag := m.etag()
	if etag == "" {
		return false
	}
	info, err := m.r.headBy(ctx, m.r.again, m.at)
	return err == nil && info.Size == size && info.ETag == etag
}

// etag returns the ETag of the object that the parts become, "" if the server has its own way of making them.
func (m *multipart) etag() string {
	sum := md5.New()
	for _, p := range m.parts {
		b, err := hex.DecodeString(strings.Trim(p.ETag, `"`))
		if err != nil || len(b) != md5.Size {
			return ""
		}
		sum.Write(b)
	}
	return fmt.Sprintf("%x-%d", sum.Sum(nil), len(m.parts))
}
