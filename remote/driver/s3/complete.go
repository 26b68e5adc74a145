package s3

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// complete publishes the parts as the object, size bytes long in all. The upload is over when it
// returns nil.
func (m *multipart) complete(ctx context.Context, size int64) (minio.UploadInfo, error) {
	m.detach()
	if err := m.wait(ctx); err != nil {
		return minio.UploadInfo{}, err
	}
	id, _ := m.state()
	o := minio.PutObjectOptions{ServerSideEncryption: m.r.opt.customer()}
	var doubt atomic.Bool // an upload is completed only once, so that a request which is answered is the only one
	asking := remote.WithUnanswered(ctx, func() { doubt.Store(true) })
	on, conditional := ctx.Value(preconditionKey{}).(*precondition)
	info, err := m.r.again.CompleteMultipartUpload(asking, m.at.Bucket, m.at.Name, id, m.parts, o)
	doubtful := doubt.Load() || conditional && on.doubt.Load()
	if err != nil && m.publishedAnyway(ctx, id, err, size, doubtful) {
		info, err = minio.UploadInfo{ETag: m.etag()}, nil
	}
	if err != nil {
		m.mu.Lock()
		m.spent = doubt.Load() || isCode(err, "NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall")
		m.mu.Unlock()
		return minio.UploadInfo{}, err
	}
	m.cancel(nil)
	m.end(false)
	return info, nil
}

// settleTime is how long finding out may take what became of a request whose answer was lost.
const settleTime = 5 * time.Second

// publishedAnyway reports whether the parts have become the object although the answer to complete
// was err: an answer that got lost, or one to the second try of a request whose first one was done.
// If that is in doubt, the upload is taken back, so that it cannot be done any more. What stays in
// doubt it reports.
func (m *multipart) publishedAnyway(ctx context.Context, id string, err error, size int64, doubt bool) bool {
	var e minio.ErrorResponse
	if !doubt && errors.As(err, &e) && e.Code != "NoSuchUpload" && e.StatusCode < http.StatusInternalServerError {
		return false
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	takenBack := doubt && !m.r.opt.LeaveParts &&
		m.r.once.AbortMultipartUpload(settling, m.at.Bucket, m.at.Name, id) == nil
	if etag := m.etag(); etag != "" {
		info, err := m.r.headBy(settling, m.r.once, m.at)
		if err == nil && info.Size == size && info.ETag == etag {
			return true
		}
	}
	if doubt && !takenBack {
		remote.Unanswered(ctx)
	}
	return false
}

// etag returns the ETag of the object that the parts become, "" if the server has its own way of
// making them.
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
