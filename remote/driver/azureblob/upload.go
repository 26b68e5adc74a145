package azureblob

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"errors"
	"hash"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

var (
	errReplaced = errors.New("the file was replaced while it was being continued")
	errDropped  = errors.New("another upload of the same name was published first, and the service dropped this one")
)

// maxBlocks is how many a blob can have.
const maxBlocks = 50_000

// A draft is an upload. What fits one block goes in one request; of more, each full block goes as
// it comes.
type draft struct {
	store   *store
	target  objects.Key
	client  *blockblob.Client
	modTime time.Time
	only    *string      // the version of what may be replaced; see objects.CreateOptions
	base    *azcore.ETag // what the target must still be; nil where that does not matter
	kept    *properties  // of the blob that is continued; nil for a new one
	tags    map[string]string
	cancel  context.CancelFunc

	blocks *blocks
	ids    []string  // of all blocks so far, those of the base in front
	size   int64     // of all that, and of what is held
	sum    hash.Hash // of all that; nil where it is not known or not wanted
	held   []byte    // the block that is being filled

	mu    sync.Mutex
	marks []mark // guarded by mu; of ids
}

// Create implements objects.Store.
func (s *store) Create(ctx context.Context, k objects.Key, o objects.CreateOptions) (objects.Draft, error) {
	d := s.newDraft(ctx, k, o)
	if err := d.continueBlob(ctx, o); err != nil {
		d.Abort()
		return nil, err
	}
	return d, nil
}

// newDraft returns an upload of which there is nothing yet.
func (s *store) newDraft(ctx context.Context, k objects.Key, o objects.CreateOptions) *draft {
	writing, cancel := context.WithCancel(ctx)
	d := &draft{store: s, target: k, client: s.blob(k), modTime: o.ModTime, only: o.Only, cancel: cancel}
	memory := s.options.ChunkSize * int64(s.options.Concurrency)
	size := objects.Piece(o.Size, s.options.ChunkSize, memory, maxBlocks)
	d.blocks = newBlocks(writing, d.client, size, int(max(memory/size, 1)), s.options.Network.Memory)
	if !s.options.DisableChecksum {
		d.sum = md5.New()
	}
	return d
}

func (d *draft) Write(p []byte) (int, error) {
	chunk, written := int(d.blocks.size), 0
	for written < len(p) {
		if len(d.held) == cap(d.held) {
			if err := d.makeRoom(chunk); err != nil {
				return written, d.store.translate(err)
			}
		}
		n := min(cap(d.held)-len(d.held), len(p)-written)
		d.held = append(d.held, p[written:written+n]...)
		if d.sum != nil {
			d.sum.Write(p[written : written+n])
		}
		written += n
		d.size += int64(n)
	}
	return written, nil
}

// makeRoom makes the buffer larger, or sends it when it has the size of a block.
func (d *draft) makeRoom(block int) (err error) {
	if len(d.held) == block {
		if err := d.sendHeld(); err != nil {
			return err
		}
	}
	d.held, err = d.blocks.grown(d.held)
	return err
}

// sendHeld sends the block that has been filled.
func (d *draft) sendHeld() error {
	size := int64(len(d.held))
	id, err := d.blocks.send(d.held)
	if err != nil {
		return err
	}
	d.ids, d.held = append(d.ids, id), nil
	d.mark(id, size, false)
	return nil
}

// Commit implements objects.Draft.
func (d *draft) Commit(ctx context.Context, modTime time.Time) (objects.Object, error) {
	stop := context.AfterFunc(ctx, d.cancel)
	defer stop()
	facts := d.facts(cmp.Or(modTime, d.modTime, time.Now()))
	if len(d.ids) == 0 {
		return d.commitWhole(ctx, facts)
	}
	if len(d.held) > 0 {
		if err := d.sendHeld(); err != nil {
			return objects.Object{}, d.store.translate(err)
		}
	}
	if err := d.blocks.wait(); err != nil {
		return objects.Object{}, d.store.translate(err)
	}
	if d.sum != nil {
		facts.headers.BlobContentMD5 = d.sum.Sum(nil)
	}
	ctx, doubt := doubting(ctx)
	answer, err := d.client.CommitBlockList(ctx, d.ids, &blockblob.CommitBlockListOptions{
		HTTPHeaders: facts.headers, Metadata: facts.metadata, Tags: facts.tags, Tier: facts.tier, AccessConditions: facts.conditions,
	})
	if err != nil {
		return d.settle(ctx, d.commitError(err), doubt.Load(), facts.headers.BlobContentMD5)
	}
	return describe(d.target.Name, &d.size, answer.LastModified, answer.ETag, facts.metadata), nil
}

// commitWhole stores what is held, which is everything, in one request. The service computes the
// MD5.
func (d *draft) commitWhole(ctx context.Context, facts facts) (objects.Object, error) {
	body := streaming.NopCloser(bytes.NewReader(d.held))
	ctx, doubt := doubting(ctx)
	answer, err := d.client.Upload(ctx, body, &blockblob.UploadOptions{
		HTTPHeaders: facts.headers, Metadata: facts.metadata, Tags: facts.tags, Tier: facts.tier, AccessConditions: facts.conditions,
	})
	if err != nil {
		sum := md5.Sum(d.held)
		return d.settle(ctx, d.commitError(err), doubt.Load(), sum[:])
	}
	d.store.options.Network.Memory.Recycle(d.held)
	d.held = nil
	return describe(d.target.Name, &d.size, answer.LastModified, answer.ETag, facts.metadata), nil
}

func (d *draft) commitError(err error) error {
	switch {
	case d.only != nil && bloberror.HasCode(err, bloberror.ConditionNotMet, bloberror.BlobAlreadyExists, bloberror.BlobNotFound):
		return remote.ErrChanged
	case bloberror.HasCode(err, bloberror.ConditionNotMet):
		return errReplaced
	case bloberror.HasCode(err, bloberror.InvalidBlockList):
		return errDropped
	}
	return d.store.translate(err)
}

// Abort implements objects.Draft. There is no request that drops blocks; they go by themselves.
func (d *draft) Abort() {
	d.cancel()
	_ = d.blocks.wait() // that they were cancelled
	d.blocks.upload.End()
}
