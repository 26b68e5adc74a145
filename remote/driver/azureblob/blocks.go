package azureblob

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"ferry/budget"
)

const (
	// idLength is how many bytes the name of a block has, as many as rclone's. All blocks of a blob
	// have names of one length, those included that an upload given up has left.
	idLength = 16
	// minIDLength is what is needed for names that do not meet by chance.
	minIDLength = 8
)

// blocks sends the blocks of one upload, several at once, in a bounded number of buffers, for which
// memory is reserved.
type blocks struct {
	put      func(id string, content []byte) error
	existing func() (idLength int) // of the blocks that are there already, or 0
	ended    <-chan struct{}       // closed when the upload is given up
	cause    func() error          // of that

	size     int64 // of a block
	idLength int
	sent     bool
	slots    chan struct{} // holds one for each block on its way
	memory   *budget.Budget
	upload   *budget.Upload                  // of that memory
	reserve  func(n int64, whole bool) error // memory for the block that is filled
	group    sync.WaitGroup

	mu        sync.Mutex
	err       error           // guarded by mu; the first
	confirmed map[string]bool // guarded by mu; by name
}

// newBlocks returns the blocks of an upload whose requests run under ctx.
func newBlocks(ctx context.Context, client *blockblob.Client, size int64, concurrency int, memory *budget.Budget) *blocks {
	b := &blocks{
		put: func(id string, content []byte) error {
			_, err := client.StageBlock(ctx, id, streaming.NopCloser(bytes.NewReader(content)), nil)
			return err
		},
		existing: func() int { return existingIDLength(ctx, client) },
		ended:    ctx.Done(),
		cause:    func() error { return context.Cause(ctx) },
		size:     size,
		idLength: idLength,
		slots:    make(chan struct{}, concurrency),
		memory:   memory,
		upload:   memory.Upload(),
	}
	b.reserve = func(n int64, whole bool) error {
		if whole {
			return b.upload.Collect(ctx, n)
		}
		return b.upload.Begin(ctx, n)
	}
	return b
}

// existingIDLength asks how long the names of a blob's blocks are.
func existingIDLength(ctx context.Context, client *blockblob.Client) int {
	list, err := client.GetBlockList(ctx, blockblob.BlockListTypeAll, nil)
	if err != nil {
		return 0
	}
	for _, block := range slices.Concat(list.UncommittedBlocks, list.CommittedBlocks) {
		if id, err := base64.StdEncoding.DecodeString(*block.Name); err == nil {
			return len(id)
		}
	}
	return 0
}

// firstBuffer is the memory that an upload begins with.
const firstBuffer = 64 << 10

// grown returns a buffer that begins with held and has more room: a little at first, then a block.
// It waits until there is memory.
func (b *blocks) grown(held []byte) ([]byte, error) {
	size, whole := b.size, true
	if held == nil && !b.sent && size > firstBuffer {
		size, whole = firstBuffer, false
	}
	if err := b.reserve(size, whole); err != nil {
		return held, err
	}
	buf := append(b.memory.Buffer(int(size)), held...)
	b.memory.Recycle(held)
	return buf, b.failed()
}

// send begins to send content, which belongs to it from now on, and returns the name of the block.
// The first one is waited for: the service may want names of another length.
func (b *blocks) send(content []byte) (id string, err error) {
	if err := b.failed(); err != nil {
		return "", err
	}
	if !b.sent {
		b.sent = true
		return b.sendFirst(content)
	}
	id = b.newID()
	select {
	case b.slots <- struct{}{}:
	case <-b.ended:
		return "", b.cause()
	}
	sent := b.upload.Sent()
	b.group.Go(func() {
		defer sent()
		defer func() { <-b.slots }()
		if err := b.put(id, content); err != nil { // a request that failed may still read it
			b.fail(err)
			return
		}
		b.confirm(id)
		b.memory.Recycle(content)
	})
	return id, nil
}

func (b *blocks) sendFirst(content []byte) (id string, err error) {
	defer b.upload.Sent()()
	id = b.newID()
	err = b.put(id, content)
	if bloberror.HasCode(err, bloberror.InvalidBlobOrBlock) {
		if n := b.existing(); n >= minIDLength && n != b.idLength {
			b.idLength = n
			id = b.newID()
			err = b.put(id, content)
		}
	}
	if err != nil {
		b.fail(err)
		return "", err
	}
	b.confirm(id)
	b.memory.Recycle(content)
	return id, nil
}

// confirm notes that the service has a block.
func (b *blocks) confirm(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.confirmed == nil {
		b.confirmed = map[string]bool{}
	}
	b.confirmed[id] = true
}

// has reports whether the service has confirmed a block.
func (b *blocks) has(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.confirmed[id]
}

// wait returns when every block was sent, and whether all were.
func (b *blocks) wait() error {
	b.group.Wait()
	return b.failed()
}

func (b *blocks) newID() string {
	id := make([]byte, b.idLength)
	_, _ = rand.Read(id) // never fails
	return base64.StdEncoding.EncodeToString(id)
}

func (b *blocks) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
		b.upload.Fail(err)
	}
}

func (b *blocks) failed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
