package azureblob

import (
	"bytes"
	"context"
	"encoding"
	"encoding/base64"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// An upload that was cut is left as the blocks that it has, which the service keeps for a week. It
// drops them when another upload of the same name is published first, whoever that is from: then
// there is nothing to continue.

// PutPlain implements objects.Keeper.
func (s *store) PutPlain(ctx context.Context, k objects.Key, content []byte, old string) (string, error) {
	any := azcore.ETagAny
	conditions := &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: &any}}
	if old != "" {
		tag := azcore.ETag(`"` + old + `"`)
		conditions = only(&tag)
	}
	answer, err := s.blob(k).Upload(ctx, streaming.NopCloser(bytes.NewReader(content)), &blockblob.UploadOptions{AccessConditions: conditions})
	if bloberror.HasCode(err, bloberror.ConditionNotMet, bloberror.BlobAlreadyExists, bloberror.BlobNotFound) {
		return "", remote.ErrChanged
	}
	return version(answer.ETag), s.translate(err)
}

// Continue implements objects.Keeper.
func (s *store) Continue(ctx context.Context, k objects.Key, sent objects.Sent, o objects.CreateOptions) (objects.Draft, error) {
	b, err := sentOf(sent)
	if err != nil {
		return nil, err
	}
	d := s.newDraft(ctx, k, objects.CreateOptions{Only: o.Only})
	if b.Base != "" {
		base, err := s.Head(ctx, k)
		if err != nil {
			d.Abort()
			return nil, err
		}
		tag := azcore.ETag(`"` + b.Base + `"`)
		d.base = &tag
		if err := d.takeFacts(ctx, objects.CreateOptions{Base: base}); err != nil {
			d.Abort()
			return nil, err
		}
	}
	for _, block := range b.Blocks {
		d.ids = append(d.ids, block.ID)
		d.mark(block.ID, block.Size, true)
	}
	d.marks[len(d.marks)-1].sum = b.Sum
	d.size, d.blocks.sent = sent.Size, true
	if id, err := base64.StdEncoding.DecodeString(b.Blocks[0].ID); err == nil && len(id) >= minIDLength {
		d.blocks.idLength = len(id)
	}
	if sum, ok := d.sum.(encoding.BinaryUnmarshaler); ok && (b.Sum == nil || sum.UnmarshalBinary(b.Sum) != nil) {
		d.sum = nil
	}
	return d, nil
}

// Holds implements objects.Keeper.
func (s *store) Holds(ctx context.Context, k objects.Key, sent objects.Sent) error {
	b, err := sentOf(sent)
	if err != nil {
		return err
	}
	list, err := s.blob(k).GetBlockList(ctx, blockblob.BlockListTypeAll, nil)
	if err != nil {
		return s.translate(err)
	}
	there := map[string]bool{}
	for _, block := range list.UncommittedBlocks {
		there[*block.Name] = true
	}
	if b.Base != "" && version(list.ETag) == b.Base {
		for _, block := range list.CommittedBlocks {
			there[*block.Name] = true
		}
	}
	for _, block := range b.Blocks {
		if !there[block.ID] {
			return remote.ErrNotExist
		}
	}
	return nil
}

// Forget implements objects.Keeper. There is no request that drops blocks; they go by themselves.
func (s *store) Forget(context.Context, objects.Key, objects.Sent) error { return nil }

// Cut implements objects.Keeper. A block cannot be cut, nor read.
func (s *store) Cut(sent objects.Sent, off int64) (objects.Sent, bool) {
	b, err := sentOf(sent)
	if err != nil {
		return objects.Sent{}, false
	}
	size := int64(0)
	for i, block := range b.Blocks {
		if size += block.Size; size == off {
			return sentBlocks{Blocks: b.Blocks[:i+1], Base: b.Base}.sent(), true
		}
	}
	return objects.Sent{}, false
}

// Halt implements objects.KeptDraft.
func (d *draft) Halt(cause error) { d.blocks.fail(cause) }

// Sent implements objects.KeptDraft.
func (d *draft) Sent() objects.Sent {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b sentBlocks
	if d.base != nil {
		b.Base = strings.Trim(string(*d.base), `"`)
	}
	for _, m := range d.marks {
		if !m.confirmed && !d.blocks.has(m.ID) {
			break
		}
		b.Blocks, b.Sum = append(b.Blocks, m.sentBlock), m.sum
	}
	return b.sent()
}

// Noted implements objects.KeptDraft.
func (d *draft) Noted() {}

// Keep implements objects.KeptDraft.
func (d *draft) Keep(ctx context.Context) (objects.Sent, []byte) {
	d.blocks.fail(objects.ErrCut)
	stop := context.AfterFunc(ctx, d.cancel)
	defer stop()
	_ = d.blocks.wait()
	sent := d.Sent()
	if sent.Size+int64(len(d.held)) != d.size {
		return sent, nil // what is between is lost
	}
	return sent, d.held
}

// Release implements objects.KeptDraft.
func (d *draft) Release() { d.Abort() }
