package drive

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
	"ferry/remote/driver/internal/objects"
)

// An upload is a Put under way.
type upload struct {
	r       *Remote
	name    string
	modTime time.Time
	factsOf string
	memory  *google.Memory
	head    []byte // the beginning of the content, or all of it

	target   target
	replaces *file // whose content is replaced; nil = it is a new file
	id       string
	sent     change // what describes it
	stored   *file  // at the end
}

// prepare looks at what is there, and makes what describes the file.
func (u *upload) prepare(ctx context.Context) error {
	if err := u.look(ctx); err != nil {
		return err
	}
	r := u.r
	u.sent = change{ModifiedTime: writeTime(u.time())}
	u.stored = new(file)
	if err := u.facts(ctx); err != nil {
		return err
	}
	if u.replaces != nil {
		u.id = u.replaces.ID
		return nil
	}
	var err error
	u.id, err = r.ids.take(ctx, r.service)
	u.sent.ID, u.sent.Name, u.sent.Parents = u.id, r.write(u.target.base), []string{u.target.folder}
	u.sent.MimeType = cmp.Or(u.sent.MimeType, objects.ContentType(u.target.base))
	return err
}

// look finds out what the name is, and whether it may be replaced.
func (u *upload) look(ctx context.Context) error {
	var err error
	u.replaces = nil
	if u.target, err = u.r.target(ctx, u.name); err != nil || u.target.old == nil {
		return err
	}
	if u.target.old.isFolder() {
		return remote.ErrIsDir
	}
	content, err := u.r.content(ctx, u.target.old)
	switch {
	case errors.Is(err, remote.ErrNotExist): // a shortcut that leads nowhere
		return remote.ErrPermission
	case err != nil:
		return err
	case content.isDocument():
		return errors.Join(errDocument, remote.ErrPermission)
	}
	u.replaces = content
	return nil
}

var errDocument = errors.New("a document of Google is changed in Google Drive only, and keeps its extension")

// prepareAgain looks whether what is there is still what it was when the upload began.
func (u *upload) prepareAgain(ctx context.Context) error {
	began := *u
	if err := u.look(ctx); err != nil {
		return err
	}
	if began.target.folder != u.target.folder || began.replaces != nil && (u.replaces == nil || u.replaces.ID != began.replaces.ID) {
		return errMoved
	}
	u.replaces = began.replaces // a file that has come meanwhile is replaced by the new one
	if u.replaces == nil {
		u.target.old = nil
	}
	return nil
}

// facts adds those of another file to what describes this one.
func (u *upload) facts(ctx context.Context) error {
	if u.factsOf == "" || u.factsOf == u.name {
		return nil
	}
	f, content, err := u.r.lookup(ctx, u.factsOf)
	switch {
	case errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrNotDir):
		return nil
	case err != nil:
		return err
	case f.isFolder() || content.isDocument():
		return nil
	}
	all, err := u.r.service.get(ctx, content.ID, "id,mimeType,description,properties")
	if err != nil {
		return err
	}
	u.sent.MimeType, u.sent.Description, u.sent.Properties = all.MimeType, all.Description, all.Properties
	return nil
}

// time is what is sent as the time of a content whose time is not known, or is perhaps refused.
func (u *upload) time() time.Time {
	if u.modTime.IsZero() || !remote.CommonTime(u.modTime) {
		return time.Now()
	}
	return u.modTime
}

// call is the one that stores the content.
func (u *upload) call() google.Call {
	c := google.Call{Method: http.MethodPost, Path: "files", Query: u.r.service.stored(), Sends: u.sent}
	if u.replaces != nil {
		c.Method, c.Path = http.MethodPatch, filePath(u.replaces.ID)
	}
	return c
}

// contentType is that of the content.
func (u *upload) contentType() string {
	if u.replaces != nil {
		return cmp.Or(u.sent.MimeType, u.replaces.MimeType, "application/octet-stream")
	}
	return u.sent.MimeType
}

// sendWhole sends the content in one request.
func (u *upload) sendWhole(ctx context.Context) error {
	send := func(ctx context.Context, stored *file) error {
		return u.r.service.UploadWhole(ctx, u.call(), u.contentType(), u.head, stored)
	}
	var err error
	if u.replaces == nil {
		u.stored, err = u.r.createOnce(ctx, u.id, send)
		return err
	}
	return settled(ctx, func(ctx context.Context) error { return send(ctx, u.stored) }, func(ctx context.Context) bool {
		sum := md5.Sum(u.head)
		return u.isStored(ctx, func(f *file) bool { return f.MD5 == hex.EncodeToString(sum[:]) })
	})
}

// startChunks begins to send the content in chunks.
func (u *upload) startChunks(ctx context.Context) (*google.Resumable, error) {
	session, err := u.r.service.StartResumable(ctx, u.call(), u.contentType())
	if err != nil {
		return nil, err
	}
	session.Asks = true
	return session, nil
}

// sendChunks sends the content chunk by chunk; rest is what follows the head, nil where nothing
// does.
func (u *upload) sendChunks(ctx context.Context, session *google.Resumable, rest io.Reader) error {
	count := &counter{r: rest, n: int64(len(u.head))}
	var body io.Reader
	if rest != nil {
		body = count
	}
	return settled(ctx, func(ctx context.Context) error {
		return session.SendAll(ctx, u.head, body, u.memory, u.stored)
	}, func(ctx context.Context) bool {
		return u.isStored(ctx, func(f *file) bool { return f.Size != nil && *f.Size == count.n })
	})
}

// isStored finds out whether the content was stored, by what it is to look like, and by the time
// that was sent with it.
func (u *upload) isStored(ctx context.Context, looks func(*file) bool) bool {
	if u.id == "" {
		return false
	}
	f, err := u.r.service.get(ctx, u.id, fileFields)
	if err != nil || u.replaces != nil && f.HeadRevisionID == u.replaces.HeadRevisionID ||
		!readTime(f.ModifiedTime).Equal(readTime(u.sent.ModifiedTime)) || !looks(f) {
		return false
	}
	u.stored = f
	return true
}

// A counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
