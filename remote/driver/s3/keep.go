package s3

import (
	"context"
	"slices"

	"github.com/minio/minio-go/v7"

	"ferry/budget"
	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// An upload that was cut is left as the multipart upload that it is, and found again by its id.

// PutPlain implements objects.Keeper. The object is not of the storage class of others: it is read
// soon.
func (s service) PutPlain(ctx context.Context, k objects.Key, content []byte, version string) (string, error) {
	o := minio.PutObjectOptions{ServerSideEncryption: s.r.opt.sse, ContentType: "application/octet-stream"}
	info, err := s.r.only(ctx, k, &version, &s.r.onPut, func(ctx context.Context) (minio.UploadInfo, error) {
		return s.r.putWhole(ctx, s.r.again, k, content, o)
	}, func() (minio.UploadInfo, bool) { return s.r.hasContent(ctx, k, content) })
	if isCode(err, "ConditionalRequestConflict") {
		err = remote.ErrChanged
	}
	return info.ETag, s.r.translate(repeated(err))
}

// doubtfulGap is how many numbers are left out behind the parts of a process that may be sending
// still: what it sends does not replace what is sent now.
const doubtfulGap = 64

// Continue implements objects.Keeper.
func (s service) Continue(ctx context.Context, k objects.Key, sent objects.Sent, o objects.CreateOptions) (objects.Draft, error) {
	p, err := sentOf(sent)
	if err != nil {
		return nil, err
	}
	u := s.newUpload(ctx, k, objects.CreateOptions{Only: o.Only})
	gap := 0
	if sent.Doubtful {
		gap = doubtfulGap
	}
	u.setParts(s.r.continueMultipart(ctx, k, p, gap, u.memory))
	u.taken = sent.Size
	return u, nil
}

// Holds implements objects.Keeper: parts stay as long as their upload does.
func (s service) Holds(ctx context.Context, k objects.Key, sent objects.Sent) error {
	p, err := sentOf(sent)
	if err != nil {
		return err
	}
	_, err = s.r.once.ListObjectParts(ctx, k.Bucket, k.Name, p.ID, 0, 1)
	if isCode(err, "NoSuchUpload", "NoSuchKey") {
		return remote.ErrNotExist
	}
	return s.r.translate(err)
}

// Forget implements objects.Keeper.
func (s service) Forget(ctx context.Context, k objects.Key, sent objects.Sent) error {
	p, err := sentOf(sent)
	if err != nil {
		return err
	}
	return s.r.translate(s.r.abortUpload(ctx, k, p.ID))
}

// Cut implements objects.Keeper. A part cannot be cut, nor read.
func (s service) Cut(sent objects.Sent, off int64) (objects.Sent, bool) {
	p, err := sentOf(sent)
	if err != nil {
		return objects.Sent{}, false
	}
	size := int64(0)
	for i, part := range p.Parts {
		if size += part.Size; size == off {
			p.Parts = slices.Clone(p.Parts[:i+1])
			return p.sent(), true
		}
	}
	return objects.Sent{}, false
}

// Halt implements objects.KeptDraft.
func (u *upload) Halt(cause error) {
	u.memory.Fail(cause)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.halted == nil {
		u.halted = cause
	}
	if u.parts != nil {
		u.parts.halt(cause)
	}
}

// Sent implements objects.KeptDraft.
func (u *upload) Sent() objects.Sent {
	u.mu.Lock()
	m := u.parts
	u.mu.Unlock()
	if m == nil {
		return objects.Sent{}
	}
	return m.sent().sent()
}

// Noted implements objects.KeptDraft.
func (u *upload) Noted() {
	u.mu.Lock()
	m := u.parts
	u.mu.Unlock()
	if m != nil {
		if id, _ := m.state(); id != "" {
			m.end(false)
		}
	}
}

// Keep implements objects.KeptDraft.
func (u *upload) Keep(ctx context.Context) (objects.Sent, []byte) {
	if u.parts == nil {
		return objects.Sent{}, u.buf
	}
	sent := u.parts.keep(ctx)
	switch rest := u.buf; {
	case sent.Size+int64(len(rest)) == u.taken:
		return sent, rest
	default: // what is between is lost
		return sent, nil
	}
}

// Release implements objects.KeptDraft.
func (u *upload) Release() {
	if u.parts != nil {
		u.parts.release()
	}
	u.ended = true
	u.memory.End()
}

// keep waits for the parts on their way, until ctx ends, and returns what there is then.
func (m *multipart) keep(ctx context.Context) objects.Sent {
	m.detach()
	m.halt(errUploadEnded)
	stop := context.AfterFunc(ctx, func() { m.cancel(context.Cause(ctx)) })
	defer stop()
	m.work.Wait()
	return m.sent().sent()
}

// release leaves the upload to others. What is on its way of it is waited for.
func (m *multipart) release() {
	m.detach()
	m.halt(errUploadEnded)
	m.cancel(errUploadEnded)
	m.work.Wait()
	if id, _ := m.state(); id != "" {
		m.end(false) // it is not for the caller to abort any more
	}
}

// sent returns the parts that the server has confirmed, up to the first one that it has not. One
// that is too short to be followed by others is left out.
func (m *multipart) sent() sentParts {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := sentParts{ID: m.id, Sums: m.sums}
	if m.spent || m.id == "" {
		return p
	}
	for i, part := range m.parts {
		if part.ETag == "" || m.sizes[i] < max(minPart, m.r.quirks.minPart) {
			break
		}
		p.Parts = append(p.Parts, sentPart{part.PartNumber, part.ETag, m.sizes[i], part.ChecksumCRC32C})
	}
	return p
}

// continueMultipart goes on with an upload that another process began.
func (r *Remote) continueMultipart(ctx context.Context, at place, p sentParts, gap int, memory *budget.Upload) *multipart {
	m := r.newMultipart(ctx, at, memory)
	m.id, m.sums, m.ended = p.ID, p.Sums, func(bool) {}
	for _, part := range p.Parts {
		m.add(minio.CompletePart{PartNumber: part.N, ETag: part.ETag, ChecksumCRC32C: part.CRC32C}, part.Size)
		m.next = part.N + 1
	}
	close(m.ready)
	m.next += gap
	return m
}
