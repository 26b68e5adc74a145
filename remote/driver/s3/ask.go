package s3

import (
	"context"

	"github.com/minio/minio-go/v7"

	"ferry/remote/driver/internal/objects"
)

// head asks for the object at a place.
func (r *Remote) head(ctx context.Context, at place) (minio.ObjectInfo, error) {
	return r.headBy(ctx, r.once, at)
}

func (r *Remote) headBy(ctx context.Context, c *minio.Core, at place) (minio.ObjectInfo, error) {
	return c.StatObject(ctx, at.Bucket, at.Name, minio.StatObjectOptions{ServerSideEncryption: r.opt.customer()})
}

// asking returns the client for questions.
func (r *Remote) asking(ctx context.Context) *minio.Core {
	if objects.Insists(ctx) {
		return r.again
	}
	return r.once
}

// failed is translate of an error that a question gave.
func (r *Remote) failed(ctx context.Context, err error) error {
	if objects.Insists(ctx) {
		err = repeated(err)
	}
	return r.translate(err)
}
