package writeback

import (
	"context"
	"errors"
	"io"
	"sync"

	"ferry/cache"
	"ferry/remote"
)

// A streamingUpload sends a draft that is larger than the cache while it is still being written.
// Data that was sent is removed from the disk, so that the writer continues at the speed of the
// remote. Nothing is published before complete.
type streamingUpload struct {
	draft   *cache.Draft
	request *request
	cancel  context.CancelCauseFunc
	done    chan struct{} // closed when the Put has returned
	entry   remote.Entry  // what it stored; read after done
	err     error         // what it returned; read after done

	mu    sync.Mutex
	grown sync.Cond // the draft has grown, or a field below has changed
	whole bool      // guarded by mu; the draft is complete
	ended error     // guarded by mu; why it was cancelled
}

// startStreaming starts sending draft as name. The Put outlives ctx, until complete or abort. If it
// fails, stop ends a Write that waits for space. factsOf is PutOptions.FactsOf.
func startStreaming(
	ctx context.Context, r remote.Remote, name string, q *request, draft *cache.Draft, factsOf string, stop func(),
) *streamingUpload {
	put, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	o := &streamingUpload{draft: draft, request: q, cancel: cancel, done: make(chan struct{})}
	o.grown.L = &o.mu
	detach := context.AfterFunc(ctx, func() { o.end(context.Cause(ctx)) })
	go func() {
		defer close(o.done)
		defer detach()
		o.entry, o.err = putSafely(q.watch(put), r, name, &streamingBody{o: o}, nil, remote.PutOptions{FactsOf: factsOf})
		if o.err != nil {
			o.end(o.err)
			stop()
		}
	}()
	return o
}

// A streamingBody reads a draft as it grows.
type streamingBody struct {
	o    *streamingUpload
	off  int64
	kept int64 // offset from which the disk still has the data
}

// releaseStep is how many bytes are removed from the disk at a time.
const releaseStep = 1 << 20

// Read implements io.Reader.
func (b *streamingBody) Read(p []byte) (int, error) {
	have, err := b.o.wait(b.off)
	if err != nil {
		return 0, err
	}
	n, err := b.o.draft.ReadAt(p[:min(int64(len(p)), have)], b.off)
	b.off += int64(n)
	if errors.Is(err, io.EOF) {
		err = nil // there may be more
	}
	if err == nil && b.off-b.kept >= releaseStep {
		err = b.o.draft.Release(b.off)
		b.kept = b.off
	}
	return n, err
}

// wait returns the number of bytes from off on, as soon as there is one. io.EOF means that the
// draft ends at off.
func (o *streamingUpload) wait(off int64) (int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		have := o.draft.Size() - off
		switch {
		case o.ended != nil:
			return 0, o.ended
		case have > 0:
			return have, nil
		case o.whole:
			return 0, io.EOF
		}
		o.grown.Wait()
	}
}

// grew records that the draft has grown.
func (o *streamingUpload) grew() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.grown.Broadcast()
}

// end cancels the upload.
func (o *streamingUpload) end(cause error) {
	o.mu.Lock()
	if o.ended == nil && !o.whole {
		o.ended = cause
	}
	o.grown.Broadcast()
	o.mu.Unlock()
	o.cancel(cause)
}

// failure returns why no more data is accepted, or nil.
func (o *streamingUpload) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended
}

// abort cancels the upload and waits for its end.
func (o *streamingUpload) abort() {
	o.end(errAborted)
	<-o.done
}

// complete ends the body of the Put and returns the stored entry.
func (o *streamingUpload) complete(ctx context.Context) (remote.Entry, error) {
	stop := context.AfterFunc(ctx, func() { o.end(context.Cause(ctx)) })
	defer stop()
	defer o.request.begin().end()
	o.mu.Lock()
	o.whole = true
	o.grown.Broadcast()
	o.mu.Unlock()
	<-o.done
	o.cancel(nil)
	return o.entry, o.err
}
