package s3

import (
	"context"
	"io"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// Put implements remote.Remote. A file that fits one part is one request.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	at, err := r.begin(ctx, "put", name)
	if err != nil {
		return remote.Entry{}, err
	}
	if err := r.target(ctx, at); err != nil {
		return remote.Entry{}, r.explain(ctx, "put", name, err)
	}
	options, err := r.optionsLike(ctx, at, o.FactsOf, o.ModTime)
	if err != nil {
		return remote.Entry{}, r.explain(ctx, "put", name, err)
	}
	u := &upload{r: r, at: at, options: options, modTime: o.ModTime, part: r.knownPartSize(o.Size)}
	u.fail = func(err error) error { return err } // Put explains it
	u.begin = func() (*multipart, error) { return r.startMultipart(ctx, at, u.options, false), nil }
	info, err := u.putAll(ctx, body, o.Size)
	_, base := remote.Split(name)
	if err != nil {
		if u.parts != nil {
			_ = u.parts.abort() // what failed first is what matters
		}
		return remote.Entry{}, r.explain(ctx, "put", name, err)
	}
	return remote.Entry{Name: base, Size: u.taken, ModTime: o.ModTime, Version: info.ETag}, nil
}

// CheckTarget implements remote.TargetChecker.
func (r *Remote) CheckTarget(ctx context.Context, name string) error {
	at, err := r.begin(ctx, "checktarget", name)
	if err != nil {
		return err
	}
	return r.explain(ctx, "checktarget", name, r.targetOnce(ctx, at))
}

// putAll takes the whole body and publishes it.
func (u *upload) putAll(ctx context.Context, body io.Reader, announced int64) (minio.UploadInfo, error) {
	if announced > 0 {
		body = io.LimitReader(body, announced+1) // no need to take more to see that it is too long
	}
	if _, err := u.ReadFrom(remote.ContextReader(ctx, body)); err != nil {
		return minio.UploadInfo{}, err
	}
	if err := remote.CheckSize(u.taken, announced); err != nil {
		return minio.UploadInfo{}, err
	}
	if ctx.Err() != nil {
		return minio.UploadInfo{}, context.Cause(ctx)
	}
	return u.finish(ctx)
}
