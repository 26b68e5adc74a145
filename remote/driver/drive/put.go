package drive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"slices"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
)

const (
	// defaultChunk is what is sent at a time of a long content.
	defaultChunk = 8 << 20
	// mostWhole is up to where the service takes a content in one request.
	mostWhole = 5 << 20
)

// checkSizes completes the sizes of options.
func checkSizes(o *Options) error {
	switch {
	case o.ChunkSize == 0:
		o.ChunkSize = defaultChunk
	case o.ChunkSize < google.ChunkUnit || o.ChunkSize%google.ChunkUnit != 0 || o.ChunkSize > 1<<30:
		return errors.New("drive: option chunk_size is no multiple of 256Ki up to 1Gi: use 8Mi")
	}
	switch {
	case o.UploadCutoff == 0 || o.UploadCutoff > mostWhole:
		o.UploadCutoff = mostWhole
	case o.UploadCutoff < 0:
		o.UploadCutoff = -1
	}
	return nil
}

// Put implements remote.Remote. A file that is replaced keeps its id.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	err := r.checkNew(ctx, name)
	if err == nil && name == "." {
		err = remote.ErrIsDir
	}
	if err != nil {
		return remote.Entry{}, r.fail("put", name, err)
	}
	u := &upload{r: r, name: name, modTime: o.ModTime, factsOf: o.FactsOf, memory: google.NewMemory(r.options.Network.Memory, r.options.ChunkSize)}
	defer u.memory.Upload.End()
	from := &source{r: remote.ContextReader(ctx, body), announced: o.Size}
	rest, err := u.begin(ctx, from)
	switch {
	case err == io.EOF && int64(len(u.head)) <= r.options.UploadCutoff:
		err = r.putWhole(ctx, u)
	case err == io.EOF:
		err = r.putChunks(ctx, u, nil)
	case err == nil:
		err = r.putChunks(ctx, u, rest)
	}
	if err != nil {
		return remote.Entry{}, r.fail("put", name, err)
	}
	_, base := remote.Split(name)
	return r.entry(base, u.stored, u.stored), nil
}

// putWhole sends what is all of the content in one request.
func (r *Remote) putWhole(ctx context.Context, u *upload) error {
	release, err := r.names.Change(ctx, r.full(u.name))
	if err != nil {
		return err
	}
	defer release()
	return r.again(func() error {
		if err := u.prepare(ctx); err != nil {
			return err
		}
		if err := u.sendWhole(ctx); err != nil {
			return err
		}
		return u.finish(ctx)
	})
}

// putChunks sends the content chunk by chunk. The name is held only when the last of them is sent,
// which publishes all: what is there by then must be what the upload was begun for.
func (r *Remote) putChunks(ctx context.Context, u *upload, rest io.Reader) error {
	var session *google.Resumable
	err := r.again(func() (err error) {
		if err = u.prepare(ctx); err == nil {
			session, err = u.startChunks(ctx)
		}
		return err
	})
	if err != nil {
		return err
	}
	var release func()
	session.Publish = func(ctx context.Context) (func(), error) {
		if release, err = r.names.Change(ctx, r.full(u.name)); err != nil {
			release = nil
			return nil, err
		}
		return func() {}, u.prepareAgain(ctx)
	}
	err = u.sendChunks(ctx, session, rest)
	if release != nil {
		defer release()
	}
	if err != nil {
		return err
	}
	return u.finish(ctx)
}

// A source is the body of a Put. It fails where that has not the length that was announced.
type source struct {
	r         io.Reader
	announced int64
	n         int64
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	switch {
	case s.announced > 0 && s.n > s.announced:
		return n, remote.CheckSize(s.n, s.announced)
	case err == io.EOF:
		if bad := remote.CheckSize(s.n, s.announced); bad != nil {
			return n, bad
		}
	case err != nil:
		err = &sourceError{err}
	}
	return n, err
}

// A sourceError is what a body failed with. It is not taken for its end, whatever it is.
type sourceError struct{ error }

func (e *sourceError) Unwrap() error { return e.error }

// begin reads the beginning of a content, as much as goes at a time, and returns what the rest
// comes from; io.EOF says that it is all.
func (u *upload) begin(ctx context.Context, from io.Reader) (rest io.Reader, err error) {
	var held []byte
	for _, size := range []int{1 << 16, google.Small} {
		if held, err = u.memory.Begin(ctx, held, size); err != nil {
			return nil, err
		}
		read, err := google.Fill(held[len(held):size], from)
		held = held[:len(held)+len(read)]
		if err != nil {
			u.head = held
			return nil, err
		}
	}
	room, err := u.memory.Chunk(ctx)
	if err != nil {
		return nil, err
	}
	rest = io.MultiReader(bytes.NewReader(held), from) // a chunk may be shorter than what is held
	u.head, err = google.Fill(room, rest)
	if len(u.head) >= len(held) {
		u.memory.Recycle(held)
		rest = from
	}
	return rest, err
}

// finish makes sure that what was stored is what the name is now.
func (u *upload) finish(ctx context.Context) error {
	r := u.r
	finishing, release := remote.Committed(ctx) // what follows belongs to it
	defer release()
	if u.replaces == nil {
		r.recent.note(u.target.folder, r.write(u.target.base), u.stored.ID)
		if err := r.verifyFile(ctx, u.target, u.stored); err != nil {
			return err
		}
	} else if err := u.verifyReplaced(finishing); err != nil {
		return err
	}
	if !u.modTime.IsZero() && !remote.CommonTime(u.modTime) && writable(u.modTime) {
		if err := r.patchTime(remote.WithUnanswered(finishing, func() {}), u.stored.ID, u.modTime); err == nil {
			u.stored.ModifiedTime = writeTime(u.modTime)
		}
	}
	return nil
}

var errMoved = errors.New("the file was renamed or removed while it was being replaced: store it again")

// verifyReplaced brings a file back that another program has removed while it was replaced. One
// that it has renamed has the new content under its new name.
func (u *upload) verifyReplaced(ctx context.Context) error {
	switch {
	case u.stored.Trashed:
		back, err := u.r.service.patch(ctx, u.stored.ID, url.Values{}, change{Trashed: new(false)})
		if err != nil {
			return err
		}
		u.stored = back
	case u.target.old.Shortcut != nil:
	case u.stored.Name != u.replaces.Name, len(u.stored.Parents) > 0 && u.target.folder != sharedRoot && !slices.Contains(u.stored.Parents, u.target.folder):
		return errMoved
	}
	return nil
}
