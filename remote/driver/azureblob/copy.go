package azureblob

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// maxCopy is the largest blob that the service copies in one request.
const maxCopy = 256 << 20

// Copy implements objects.Store. The request that copies blobs of any size at once is not used:
// until it is done, which may be later, the old content of the target is gone.
func (s *store) Copy(ctx context.Context, from objects.Key, known objects.Object, to objects.Key) (made string, err error) {
	if known.Version != "" {
		return s.copyVersion(ctx, from, known.Version, to)
	}
	err = again(func() error {
		made, err = s.copyVersion(ctx, from, "", to)
		return err
	})
	return made, err
}

// copyVersion copies the version that is wanted, or with "" the one that is there.
func (s *store) copyVersion(ctx context.Context, from objects.Key, wanted string, to objects.Key) (string, error) {
	source := s.blob(from)
	p, err := source.GetProperties(ctx, nil)
	if err != nil {
		return "", s.translate(err)
	}
	if wanted != "" && version(p.ETag) != wanted {
		return "", remote.ErrChanged
	}
	if *p.ContentLength > maxCopy {
		return s.copyLarge(ctx, source, s.blob(to), p)
	}
	sourceURL, header, err := s.source(ctx, source.BlobClient())
	if err != nil {
		return "", err
	}
	o := &blob.CopyFromURLOptions{CopySourceAuthorization: header, Tier: s.tierOf(&p)}
	if o.BlobTags, err = s.tagsOf(ctx, source, &p); err != nil {
		return "", err
	}
	if wanted != "" {
		o.SourceModifiedAccessConditions = &blob.SourceModifiedAccessConditions{SourceIfMatch: p.ETag}
	}
	answer, err := s.blob(to).CopyFromURL(ctx, sourceURL, o)
	if bloberror.HasCode(err, bloberror.CannotVerifyCopySource) {
		return "", remote.ErrUnsupported // the credentials may read, but the service may not for them
	}
	if err != nil {
		return "", s.translate(err)
	}
	return version(answer.ETag), nil
}

// copyLarge copies block by block, and publishes them at once.
func (s *store) copyLarge(ctx context.Context, from, to *blockblob.Client, p blob.GetPropertiesResponse) (string, error) {
	tags, err := s.tagsOf(ctx, from, &p)
	if err != nil {
		return "", err
	}
	b := newBlocks(ctx, to, 0, 1, nil)
	size := *p.ContentLength
	ids, n := s.copyBlocks(ctx, to, from, source{tag: p.ETag, n: size}, b.newID)
	if n < size {
		return "", remote.ErrUnsupported
	}
	answer, err := to.CommitBlockList(ctx, ids, &blockblob.CommitBlockListOptions{
		HTTPHeaders: headersOf(&p),
		Metadata:    p.Metadata,
		Tags:        tags,
		Tier:        s.tierOf(&p),
	})
	if err != nil {
		return "", s.translate(err)
	}
	return version(answer.ETag), nil
}
