package azureblob

import (
	"context"
	"encoding/base64"
	"io"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"ferry/remote/driver/internal/objects"
)

// maxSourceBlock is how much the service is told to copy into one block.
const maxSourceBlock = 100 << 20

// continueBlob takes over what the blob that has the key says of itself, and begins with what is
// kept of its content.
func (d *draft) continueBlob(ctx context.Context, o objects.CreateOptions) error {
	if err := d.takeFacts(ctx, o); err != nil || o.Keep == 0 {
		return err
	}
	return d.writeBase(ctx, o)
}

// takeFacts takes over what a blob says of itself.
func (d *draft) takeFacts(ctx context.Context, o objects.CreateOptions) (err error) {
	kept, ok := o.Base.Facts.(*properties)
	if !ok {
		return nil
	}
	d.kept = kept
	client := d.client
	if o.FactsOf != nil {
		client = d.store.blob(*o.FactsOf)
	}
	d.tags, err = d.store.tagsOf(ctx, client, kept)
	return err
}

// writeBase begins with the first bytes of the blob that has the key. Whole blocks of it are named
// again; a large rest is copied by the service; a small one, and what the service will not copy,
// comes by way of this process.
func (d *draft) writeBase(ctx context.Context, o objects.CreateOptions) error {
	tag := azcore.ETag(`"` + o.Base.Version + `"`)
	d.base, d.sum = &tag, nil
	if err := d.keepBlocks(ctx, o.Keep); err != nil {
		return err
	}
	if rest := o.Keep - d.size; rest > d.store.options.ChunkSize {
		ids, n := d.store.copyBlocks(ctx, d.client, d.client, source{tag: &tag, off: d.size, n: rest}, d.blocks.newID)
		for i, id := range ids {
			d.mark(id, min(n-int64(i)*maxSourceBlock, maxSourceBlock), true)
		}
		d.ids, d.size = append(d.ids, ids...), d.size+n
		d.blocks.sent = d.blocks.sent || n > 0
	}
	rest := o.Keep - d.size
	if rest == 0 {
		return nil
	}
	content, err := d.store.Open(ctx, d.target, d.size, rest)
	if err != nil {
		return err
	}
	defer content.Close()
	n, err := io.Copy(d, content)
	if err != nil {
		return err
	}
	if n != rest || content.Object.Version != o.Base.Version {
		return errReplaced
	}
	return nil
}

// keepBlocks takes over the committed blocks that lie whole in the first keep bytes.
func (d *draft) keepBlocks(ctx context.Context, keep int64) error {
	list, err := d.client.GetBlockList(ctx, blockblob.BlockListTypeCommitted, nil)
	if err != nil {
		return d.store.translate(err)
	}
	for _, block := range list.CommittedBlocks {
		id, err := base64.StdEncoding.DecodeString(*block.Name)
		if err != nil || len(id) < minIDLength || d.size+*block.Size > keep {
			break
		}
		d.ids, d.size = append(d.ids, *block.Name), d.size+*block.Size
		d.mark(*block.Name, *block.Size, true)
		d.blocks.idLength = len(id)
	}
	return nil
}

// A source is a range of one version of a blob.
type source struct {
	tag    *azcore.ETag
	off, n int64
}

// copyBlocks lets the service copy a range of from into blocks of target. It returns their names
// and how much was copied, which is less than asked for where the service will not do it.
func (s *store) copyBlocks(
	ctx context.Context, target, from *blockblob.Client, src source, newID func() string,
) (ids []string, copied int64) {
	sourceURL, header, err := s.source(ctx, from.BlobClient())
	if err != nil {
		return nil, 0
	}
	for copied < src.n {
		n, id := min(src.n-copied, maxSourceBlock), newID()
		_, err := target.StageBlockFromURL(ctx, id, sourceURL, &blockblob.StageBlockFromURLOptions{
			CopySourceAuthorization:        header,
			Range:                          blob.HTTPRange{Offset: src.off + copied, Count: n},
			SourceModifiedAccessConditions: &blob.SourceModifiedAccessConditions{SourceIfMatch: src.tag},
		})
		if err != nil {
			break
		}
		ids, copied = append(ids, id), copied+n
	}
	return ids, copied
}
