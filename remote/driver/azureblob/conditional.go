package azureblob

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// precondition is that of the draft's target. What a blob is continued from has the same version,
// or the service refuses its blocks.
func (d *draft) precondition() *blob.AccessConditions {
	if *d.only == "" {
		all := azcore.ETagAny
		return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: &all}}
	}
	tag := azcore.ETag(`"` + *d.only + `"`)
	return only(&tag)
}

// doubting returns a context that notes when a request was sent and not answered, and reports it.
func doubting(ctx context.Context) (context.Context, *atomic.Bool) {
	doubt := new(atomic.Bool)
	return remote.WithUnanswered(ctx, func() {
		doubt.Store(true)
		remote.Unanswered(ctx)
	}), doubt
}

// settle returns what became of a commit that has ended with err. When a request was not answered,
// and the next one found another version, that may be what the first one has stored: it has that
// sum.
func (d *draft) settle(ctx context.Context, err error, doubt bool, sum []byte) (objects.Object, error) {
	if !doubt || len(sum) == 0 || !errors.Is(err, remote.ErrChanged) {
		return objects.Object{}, err
	}
	there, headErr := d.store.Head(ctx, d.target)
	if headErr != nil {
		return objects.Object{}, errors.Join(headErr, err)
	}
	if p, ok := there.Facts.(*properties); ok && there.Size == d.size && bytes.Equal(p.ContentMD5, sum) {
		return there, nil
	}
	return objects.Object{}, err
}
