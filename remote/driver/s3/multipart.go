package s3

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"ferry/budget"
	"ferry/remote"
)

const (
	// spareMemory may be used by an upload beyond Concurrency parts: for the one that is being
	// collected, and for those that wait for their answer while others are sent.
	spareMemory = 22 << 20
	// chunkSlots is how finely the memory for parts on their way is counted.
	chunkSlots = 4
	// abortTime is how long an upload that failed may take to be removed.
	abortTime = 30 * time.Second
	// beginTime is how long a server may take to begin one. The end of the upload does not end that
	// request: it would leave an upload that nobody knows the name of.
	beginTime = 10 * time.Second
)

var errUploadEnded = errors.New("the upload has ended")

// A multipart upload is under way: parts are sent by several goroutines, and numbered in the order
// they are given.
type multipart struct {
	r      *Remote
	at     place
	spawn  func(task func(ctx context.Context)) bool // runs a task on the upload's context, unless the upload has failed
	cancel context.CancelCauseFunc                   // ends that context
	detach func() bool                               // stops the context that the upload was begun with from ending it
	abort  func() error                              // forgets the upload; nothing can be sent any more

	memory *budget.Upload // nil = nothing is collected
	slots  chan struct{}  // holds chunkSlots for each ChunkSize that is on its way
	failed chan struct{}  // closed when err is set
	ready  chan struct{}  // closed when id is set, or err
	sums   bool           // parts carry checksums; set before ready is closed
	work   sync.WaitGroup
	next   int // number of the next part; used by who sends

	mu     sync.Mutex
	id     string               // guarded by mu
	ended  func(left bool)      // guarded by mu; reports the end of the upload, once it has an id
	err    error                // guarded by mu; the first one
	halted bool                 // guarded by mu; err ends what is sent, and nothing that is on its way
	spent  bool                 // guarded by mu; the server may not have the parts any more
	parts  []minio.CompletePart // guarded by mu; in the order of the content; without an ETag one is on its way
	sizes  []int64              // guarded by mu; of parts
}

// startMultipart begins an upload that lives until complete or abort. Ending ctx makes it fail, up
// to complete. Without copies copyFrom must not be called, without memory send.
func (r *Remote) startMultipart(ctx context.Context, at place, o minio.PutObjectOptions, copies bool, memory *budget.Upload) *multipart {
	m := r.newMultipart(ctx, at, memory)
	m.spawn(func(ctx context.Context) {
		defer close(m.ready)
		begin, cancel := context.WithTimeout(context.WithoutCancel(ctx), beginTime)
		defer cancel()
		id, sums, err := r.newUpload(begin, at, o, copies)
		if err != nil {
			m.fail(contextCause(ctx, err))
			return
		}
		ended := r.tellUpload(ctx, at, id)
		m.mu.Lock()
		m.id, m.sums, m.ended = id, sums, ended
		m.mu.Unlock()
	})
	return m
}

// newMultipart returns an upload without an id, of which nothing was sent.
func (r *Remote) newMultipart(ctx context.Context, at place, memory *budget.Upload) *multipart {
	own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	m := &multipart{
		r: r, at: at, cancel: cancel, next: 1, memory: memory,
		slots:  make(chan struct{}, r.opt.inFlight()*chunkSlots),
		failed: make(chan struct{}),
		ready:  make(chan struct{}),
	}
	m.spawn = func(task func(context.Context)) bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.err != nil { // so that nothing begins while abort waits for the end of all
			return false
		}
		m.work.Go(func() { task(own) })
		return true
	}
	m.detach = context.AfterFunc(ctx, func() { m.fail(context.Cause(ctx)) })
	m.abort = sync.OnceValue(func() error { return m.abortWith(context.WithoutCancel(ctx)) })
	return m
}

// contextCause returns why ctx has ended, or else err.
func contextCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// fail ends the upload for the first error.
func (m *multipart) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
		close(m.failed)
		if m.memory != nil {
			m.memory.Fail(err)
		}
	}
	m.halted = false
	m.cancel(err)
}

// halt ends what send takes. Parts on their way go on.
func (m *multipart) halt(cause error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return
	}
	m.err, m.halted = cause, true
	close(m.failed)
	if m.memory != nil {
		m.memory.Fail(cause)
	}
}

func (m *multipart) state() (id string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.id, m.err
}

// send takes over buf and sends it as the next part. It waits until so little is on its way that
// memory is left.
func (m *multipart) send(buf []byte) error {
	weight := int((int64(len(buf))*chunkSlots + m.r.opt.ChunkSize - 1) / m.r.opt.ChunkSize)
	weight = max(min(weight, cap(m.slots)), 1)
	i, n, err := m.reserve(weight, int64(len(buf)))
	if err != nil {
		return err
	}
	sent := m.memory.Sent()
	begun := m.spawn(func(ctx context.Context) {
		defer sent()
		defer m.free(weight)
		ok := m.task(ctx, i, func(id string) (minio.CompletePart, error) {
			return m.put(ctx, id, n, buf)
		})
		if ok { // a request that failed may still read it
			m.r.opt.Network.Memory.Recycle(buf)
		}
	})
	if !begun {
		sent()
	}
	return nil
}

// reserve takes slots and a number for a part of size bytes, which is the i-th.
func (m *multipart) reserve(weight int, size int64) (i, number int, err error) {
	if m.next > m.r.opt.MaxParts {
		m.fail(errTooLong(m.r.opt.MaxParts))
	}
	if _, err := m.state(); err != nil {
		return 0, 0, err
	}
	for taken := 0; taken < weight; taken++ {
		select {
		case m.slots <- struct{}{}:
			continue
		case <-m.failed:
		}
		m.free(taken)
		_, err := m.state()
		return 0, 0, err
	}
	i = m.add(minio.CompletePart{PartNumber: m.next}, size)
	m.next++
	return i, m.next - 1, nil
}

// add adds a part and returns which one it is.
func (m *multipart) add(part minio.CompletePart, size int64) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts, m.sizes = append(m.parts, part), append(m.sizes, size)
	return len(m.parts) - 1
}

func errTooLong(parts int) error {
	return fmt.Errorf("%w: the file is longer than %d parts: raise chunk_size", remote.ErrTooLarge, parts)
}

func (m *multipart) free(slots int) {
	for range slots {
		<-m.slots
	}
}

// task makes the i-th part when the upload is ready, and reports whether that went well.
func (m *multipart) task(ctx context.Context, i int, make func(id string) (minio.CompletePart, error)) bool {
	<-m.ready
	m.mu.Lock()
	id, over := m.id, m.err != nil && !m.halted
	m.mu.Unlock()
	if over || id == "" {
		return false
	}
	part, err := make(id)
	if err == nil && part.ETag == "" {
		err = errNoETag
	}
	if err != nil {
		m.halt(contextCause(ctx, err)) // what is on its way is kept, if the upload is
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts[i] = part
	return true
}

var errNoETag = errors.New("the server did not say what it stored")

// wait returns when all parts are there, or one cannot be, or ctx ends.
func (m *multipart) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		m.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-m.failed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	_, err := m.state()
	return err
}

// abortWith removes what the server has of the upload. Parts that are on their way would come back
// after that, so it waits for their end.
func (m *multipart) abortWith(ctx context.Context) error {
	m.detach()
	m.fail(errUploadEnded)
	m.work.Wait()
	id, _ := m.state()
	if id == "" || m.r.opt.LeaveParts {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, abortTime)
	defer cancel()
	err := m.r.abortUpload(ctx, m.at, id)
	m.end(err != nil)
	return err
}

// end reports the end of an upload that has an id.
func (m *multipart) end(left bool) {
	m.mu.Lock()
	ended := m.ended
	m.mu.Unlock()
	ended(left)
}
