package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// What is stored on a precondition is sent with If-Match or If-None-Match. A server that ignores
// these is found out as for a removal (condition.go): the first time, the object is compared, and
// then the content is sent on a precondition that cannot hold. Whoever takes it all the same has
// stored what was to be stored; from then on the comparison just before is what there is. The end
// of a multipart upload is tried by itself.

// only stores something by send at a place where the object must have the ETag *etag, "" being
// none; nil is any. state is what is known of the server. mine tells whether what is there is what
// is being stored, and describes it: a request was sent and not answered well, and the next one was
// refused.
func (r *Remote) only(
	ctx context.Context, at place, etag *string, state *atomic.Int32,
	send func(ctx context.Context) (minio.UploadInfo, error), mine func() (minio.UploadInfo, bool),
) (minio.UploadInfo, error) {
	if etag == nil {
		return send(ctx)
	}
	if state.Load() != honoured {
		if err := r.compareWith(ctx, at, *etag); err != nil {
			return minio.UploadInfo{}, err
		}
	}
	if state.Load() == notTried {
		info, err := r.sendOn(ctx, &precondition{etag: noETag}, send)
		switch {
		case err == nil:
			state.CompareAndSwap(notTried, ignored)
			return info, nil
		case errors.Is(err, remote.ErrChanged):
			state.Store(honoured)
		case errors.Is(err, remote.ErrUnsupported):
			state.Store(refused)
		default:
			return minio.UploadInfo{}, err
		}
	}
	if state.Load() == refused {
		return send(ctx)
	}
	on := &precondition{etag: *etag}
	info, err := r.sendOn(ctx, on, send)
	if errors.Is(err, remote.ErrChanged) && on.doubt.Load() {
		if there, ok := mine(); ok {
			return there, nil
		}
	}
	if errors.Is(err, remote.ErrUnsupported) && state.Load() == honoured { // it knows one of the two
		if err := r.compareWith(ctx, at, *etag); err != nil {
			return minio.UploadInfo{}, err
		}
		return send(ctx)
	}
	return info, err
}

// sendOn sends something on a precondition. One that does not hold is remote.ErrChanged, one that
// the server does not know remote.ErrUnsupported.
func (r *Remote) sendOn(
	ctx context.Context, on *precondition, send func(ctx context.Context) (minio.UploadInfo, error),
) (minio.UploadInfo, error) {
	info, err := send(context.WithValue(ctx, preconditionKey{}, on))
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return info, err
	}
	switch {
	case answer.StatusCode == http.StatusPreconditionFailed, answer.Code == "PreconditionFailed",
		answer.Code == "NoSuchKey" && on.etag != "":
		return info, remote.ErrChanged
	case answer.StatusCode == http.StatusNotImplemented, answer.Code == "NotImplemented":
		return info, remote.ErrUnsupported
	}
	return info, err
}

// compareWith returns remote.ErrChanged unless the object at a place has that ETag, "" being none.
func (r *Remote) compareWith(ctx context.Context, at place, etag string) error {
	info, err := r.head(ctx, at)
	switch {
	case isCode(err, "NoSuchKey", "NotFound"):
		if etag == "" {
			return nil
		}
		return remote.ErrChanged
	case err == nil && info.ETag != etag:
		return remote.ErrChanged
	}
	return err
}

// hasContent reports whether the object at a place has that content, and describes it.
func (r *Remote) hasContent(ctx context.Context, at place, content []byte) (minio.UploadInfo, bool) {
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	there, err := r.get(asking, at, 0, -1, "")
	if err != nil {
		return minio.UploadInfo{}, false
	}
	defer there.Close()
	b, err := io.ReadAll(io.LimitReader(there, int64(len(content))+1))
	return minio.UploadInfo{ETag: there.Object.Version}, err == nil && bytes.Equal(b, content)
}
