package s3

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"ferry/budget"
	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// Create implements objects.Store. What is written is sent in parts while it comes. The first bytes
// of a published file are copied by the server, without coming here, when they are enough for a
// part.
func (s service) Create(ctx context.Context, k objects.Key, o objects.CreateOptions) (objects.Draft, error) {
	u := s.newUpload(ctx, k, o)
	err := u.takeFacts(ctx, o)
	if info, seen := o.Base.Facts.(minio.ObjectInfo); err == nil && seen && o.FactsOf == nil {
		err = u.continueFile(ctx, info, o.Keep)
	}
	if err != nil {
		u.Abort()
		return nil, s.r.translate(err)
	}
	return u, nil
}

// newUpload returns an upload of which there is nothing yet.
func (s service) newUpload(ctx context.Context, k objects.Key, o objects.CreateOptions) *upload {
	u := &upload{r: s.r, at: k, begun: o.ModTime, only: o.Only, size: o.Size, part: s.r.knownPartSize(o.Size), memory: s.r.opt.Network.Memory.Upload()}
	u.begin = func() *multipart { return s.r.startMultipart(ctx, k, u.options, o.Keep > 0, u.memory) }
	u.reserve = func(size, part int64) error {
		if size == firstBuffer {
			return u.memory.Begin(ctx, size)
		}
		return u.memory.Collect(ctx, part)
	}
	if o.Keep > 0 {
		u.size = 0 // what is kept counts, too
	}
	return u
}

// takeFacts makes the options of the object.
func (u *upload) takeFacts(ctx context.Context, o objects.CreateOptions) (err error) {
	u.options = u.r.putOptions(u.at, time.Time{})
	if info, seen := o.Base.Facts.(minio.ObjectInfo); seen {
		from := u.at
		if o.FactsOf != nil {
			from = *o.FactsOf
		}
		u.options, err = u.r.keptOptions(ctx, u.at, from, info)
	}
	u.r.setTimeOf(&u.options, o.ModTime)
	return err
}

// continueFile begins the upload with the first off bytes of the published file.
func (u *upload) continueFile(ctx context.Context, info minio.ObjectInfo, off int64) error {
	switch {
	case off == 0:
		return nil
	case off < minPart, u.r.quirks.wholeCopies:
		return u.fetchHead(ctx, info, off)
	}
	u.inParts()
	u.taken = off
	return u.parts.copyFrom(u.at, info, off)
}

// An upload collects the content of a file, and sends it in parts when it is longer than one. It is
// an objects.RoomyDraft and an objects.LongDraft.
type upload struct {
	r       *Remote
	at      place
	options minio.PutObjectOptions // of the object
	begun   time.Time              // the time in options
	only    *string                // the ETag of what may be replaced; see only
	begin   func() *multipart      // begins to send parts
	size    int64                  // how many bytes there will be; 0 = not known
	part    int64                  // how long a part is; 0 = as partSize says, because the size is not known
	memory  *budget.Upload
	reserve func(size, part int64) error // memory for a buffer that will become a part

	buf   []byte // what was not sent yet
	taken int64  // how many bytes there are, sent or not
	ended bool   // it is the object, or belongs to somebody else

	mu     sync.Mutex
	parts  *multipart // nil as long as there is at most one part; guarded by mu where it is set, or used by Sent and Halt
	halted error      // guarded by mu; why Write takes no more
}

func (u *upload) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		room, err := u.Room()
		if err != nil {
			return written, err
		}
		n := copy(room, p)
		u.Took(n)
		written += n
		p = p[n:]
	}
	return written, nil
}

// ReadFrom takes all that src gives.
func (u *upload) ReadFrom(src io.Reader) (int64, error) {
	for before := u.taken; ; {
		room, err := u.Room()
		if err != nil {
			return u.taken - before, err
		}
		n, err := src.Read(room)
		u.Took(n)
		if err == io.EOF {
			return u.taken - before, nil
		}
		if err != nil {
			return u.taken - before, err
		}
	}
}

// Room implements objects.RoomyDraft.
func (u *upload) Room() ([]byte, error) {
	if err := u.makeRoom(); err != nil {
		return nil, u.r.translate(err)
	}
	return u.buf[len(u.buf):cap(u.buf)], nil
}

// Took implements objects.RoomyDraft.
func (u *upload) Took(n int) {
	u.buf = u.buf[:len(u.buf)+n]
	u.taken += int64(n)
}

// Long implements objects.LongDraft. Once a part could not be sent, nothing helps any more.
func (u *upload) Long() bool {
	if u.parts == nil {
		return false
	}
	_, err := u.parts.state()
	return err == nil
}

// Finish implements objects.LongDraft.
func (u *upload) Finish() error { return u.r.translate(repeated(u.sendRest())) }

// sendRest sends the last part.
func (u *upload) sendRest() error {
	if len(u.buf) == 0 {
		return nil
	}
	err := u.parts.send(u.buf)
	if err == nil {
		u.buf = nil
	}
	return err
}

// makeRoom makes the buffer larger, or sends it when it has the size of a part.
func (u *upload) makeRoom() error {
	if len(u.buf) < cap(u.buf) {
		return nil
	}
	size := u.partLength()
	if int64(len(u.buf)) < size {
		return u.growBuffer(size)
	}
	u.inParts()
	if err := u.parts.send(u.buf); err != nil {
		return err
	}
	u.buf = nil
	return u.growBuffer(u.partLength())
}

// partLength returns how long the part is that is being collected.
func (u *upload) partLength() int64 {
	if u.part == 0 {
		return u.r.partSize(u.number())
	}
	return u.part
}

// growBuffer makes the buffer larger, up to a part, when there is memory for it: to what is left of
// a content of known length, and one byte more, so that its end is seen; else step by step at the
// beginning of a content, and then at once.
func (u *upload) growBuffer(part int64) error {
	size := bufferSize(int64(cap(u.buf))+1, part)
	reserved := part
	switch {
	case u.size > 0:
		size = bufferSize(int64(len(u.buf))+max(u.size-u.taken, 0)+1, part)
		reserved = size
	case u.parts != nil:
		size = part
	}
	if err := u.reserve(size, reserved); err != nil {
		return err
	}
	memory := u.r.opt.Network.Memory
	old := u.buf
	u.buf = append(memory.Buffer(int(size)), old...)
	memory.Recycle(old)
	return nil
}

// inParts begins to send parts, unless that has begun.
func (u *upload) inParts() {
	if u.parts == nil {
		u.setParts(u.begin())
	}
}

// setParts begins to send parts, or goes on with it.
func (u *upload) setParts(m *multipart) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts = m
	if u.halted != nil {
		m.halt(u.halted)
	}
}

// number returns the number of the part that is being collected.
func (u *upload) number() int {
	if u.parts == nil {
		return 1
	}
	return u.parts.next
}

// Commit implements objects.Draft.
func (u *upload) Commit(ctx context.Context, modTime time.Time) (objects.Object, error) {
	finishing, release := remote.Committed(ctx) // the time belongs to what is published
	defer release()
	info, err := u.publish(ctx, modTime)
	if err != nil {
		return objects.Object{}, u.r.translate(err)
	}
	u.r.opt.Network.Memory.Recycle(u.buf)
	u.ended, u.buf = true, nil
	u.memory.End()
	u.r.rememberTime(u.at, info.ETag, modTime)
	if u.parts != nil && !modTime.IsZero() && !modTime.Equal(u.begun) { // it was not known when the parts began
		if err := (service{u.r}).SetModTime(finishing, u.at, modTime); err != nil {
			return objects.Object{}, err
		}
	}
	return objects.Object{Name: u.at.Name, Size: u.taken, ModTime: modTime, Version: info.ETag}, nil
}

func (u *upload) publish(ctx context.Context, modTime time.Time) (minio.UploadInfo, error) {
	switch {
	case strings.HasSuffix(u.at.Name, "/"): // the marker of a directory, which can be stored again
		return u.r.putWhole(ctx, u.r.once, u.at, u.buf, u.options)
	case u.parts == nil:
		u.r.setTimeOf(&u.options, modTime)
		info, err := u.r.only(ctx, u.at, u.only, &u.r.onPut, func(ctx context.Context) (minio.UploadInfo, error) {
			return u.r.putWhole(ctx, u.r.again, u.at, u.buf, u.options)
		}, func() (minio.UploadInfo, bool) { return u.r.hasContent(ctx, u.at, u.buf) })
		return info, repeated(err)
	}
	if _, err := u.parts.state(); err != nil { // once a part could not be sent, nothing helps any more
		return minio.UploadInfo{}, err
	}
	if err := u.sendRest(); err != nil {
		return minio.UploadInfo{}, repeated(err)
	}
	info, err := u.r.only(ctx, u.at, u.only, &u.r.onComplete, func(ctx context.Context) (minio.UploadInfo, error) {
		return u.parts.complete(ctx, u.taken)
	}, func() (minio.UploadInfo, bool) { return minio.UploadInfo{}, false }) // complete looks itself
	return info, repeated(err)
}

// Abort implements objects.Draft.
func (u *upload) Abort() {
	if u.parts != nil && !u.ended {
		_ = u.parts.abort() // what failed first is what matters
	}
	u.memory.End()
}
