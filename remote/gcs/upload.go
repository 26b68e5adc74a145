package gcs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"path"
	"strings"
	"time"

	"cloud.google.com/go/storage"

	"ferry/remote"
	"ferry/remote/objects"
	"ferry/remote/partname"
)

const (
	// smallUpload is how much is held back before anything is sent: what is not more goes in one request.
	smallUpload = 1 << 20
	// chunk is what is sent at a time of a larger one, and held in memory in case it has to be sent again.
	chunk = 16 << 20
	// chunkUnit is what a chunk is a multiple of.
	chunkUnit = 256 << 10
	// smallBase is up to where a file that is appended to is read and written anew, which keeps its MD5.
	smallBase = 256 << 10
	// abortTime is how long the removal of a temporary object may take.
	abortTime = 30 * time.Second
)

// A draft is an upload. Its bytes go to the target, or to a temporary object that is composed with the base at the end.
type draft struct {
	store    *store
	target   objects.Key
	base     objects.Object // in front of the temporary object, where there is one
	composes bool
	into     objects.Key // what is written to: the target or the temporary object
	modTime  time.Time

	open   func(attrs storage.ObjectAttrs, chunkSize int) *storage.Writer
	cancel context.CancelFunc // of the writer
	remove func()             // deletes the temporary object

	held   []byte
	writer *storage.Writer // nil as long as everything is held
	stored bool            // the temporary object may be there
}

// Create implements objects.Store.
func (s *store) Create(ctx context.Context, k objects.Key, o objects.CreateOptions) (objects.Draft, error) {
	d := &draft{store: s, target: k, into: k, modTime: o.ModTime}
	if o.Keep == o.Base.Size && o.Keep > smallBase {
		d.composes, d.base, d.into = true, o.Base, temporary(k)
	}
	writing, cancel := context.WithCancel(ctx)
	d.cancel = cancel
	d.open = func(attrs storage.ObjectAttrs, chunkSize int) *storage.Writer {
		w := s.object(d.into).NewWriter(writing)
		attrs.Bucket, attrs.Name = w.Bucket, w.Name
		w.ObjectAttrs = attrs
		w.ChunkSize = chunkSize
		return w
	}
	d.remove = func() {
		removing, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
		defer cancel()
		_ = s.Delete(removing, d.into) // what cannot be removed now is removed by a later listing
	}
	if o.Keep > 0 && !d.composes {
		if err := d.writeBase(ctx, o); err != nil {
			d.Abort()
			return nil, err
		}
	}
	return d, nil
}

// temporary returns a hidden key beside k.
func temporary(k objects.Key) objects.Key {
	dir, base := path.Split(k.Name)
	name := partname.Name{Owner: partname.PutOwner, Slot: 1 + rand.IntN(1<<30), Base: base}
	k.Name = dir + strings.ToValidUTF8(name.String(), "")
	return k
}

// writeBase begins with the first bytes of the base, which come by way of this process.
func (d *draft) writeBase(ctx context.Context, o objects.CreateOptions) error {
	r, err := d.store.Open(ctx, d.target, 0, o.Keep)
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(d, r)
	if err != nil {
		return err
	}
	if n != o.Keep || r.Object.Version != "" && r.Object.Version != o.Base.Version {
		return errReplaced
	}
	return nil
}

var errReplaced = errors.New("the file was replaced while it was being continued")

func (d *draft) Write(p []byte) (int, error) {
	if d.writer == nil {
		if len(d.held)+len(p) <= smallUpload {
			d.held = append(d.held, p...)
			return len(p), nil
		}
		d.start(chunk, d.modTime)
		held := d.held
		d.held = nil
		if _, err := d.writer.Write(held); err != nil {
			return 0, d.store.translate(err)
		}
	}
	n, err := d.writer.Write(p)
	return n, d.store.translate(err)
}

// start opens the writer. A time that is not known yet is not stored.
func (d *draft) start(chunkSize int, modTime time.Time) {
	attrs := d.store.attrs(d.target, modTime)
	d.stored = d.composes
	d.writer = d.open(attrs, chunkSize)
}

// attrs are what a new object is stored with.
func (s *store) attrs(k objects.Key, modTime time.Time) storage.ObjectAttrs {
	attrs := storage.ObjectAttrs{
		ContentType:   cmp.Or(mime.TypeByExtension(path.Ext(k.Name)), "application/octet-stream"),
		StorageClass:  s.options.StorageClass,
		PredefinedACL: s.objectACL(),
	}
	if !modTime.IsZero() {
		attrs.Metadata = withModTime(modTime)
	}
	return attrs
}

// Commit implements objects.Draft.
func (d *draft) Commit(ctx context.Context, modTime time.Time) (objects.Object, error) {
	stop := context.AfterFunc(ctx, d.cancel)
	defer stop()
	d.modTime = cmp.Or(modTime, d.modTime)
	whole := d.writer == nil // then everything is known before anything is sent
	now := cmp.Or(d.modTime, time.Now())
	if whole && (!d.composes || len(d.held) > 0) {
		d.start((len(d.held)/chunkUnit+1)*chunkUnit, now)
		if _, err := d.writer.Write(d.held); err != nil {
			return objects.Object{}, d.store.translate(err)
		}
	}
	if d.writer != nil {
		if err := d.writer.Close(); err != nil {
			return objects.Object{}, d.store.translate(err)
		}
	}
	if d.composes {
		return d.compose(ctx, now)
	}
	o := describe(d.writer.Attrs())
	if !whole && !modTime.IsZero() && !o.ModTime.Equal(modTime) {
		// The content is published: that its time could not be set does not make the upload a failure.
		if err := d.store.SetModTime(ctx, d.target, modTime); err == nil {
			o.ModTime = modTime
		}
	}
	return o, nil
}

// compose puts what was written behind the base.
func (d *draft) compose(ctx context.Context, modTime time.Time) (objects.Object, error) {
	generation, err := parseVersion(d.base.Version)
	if err != nil {
		return objects.Object{}, err
	}
	sources := []*storage.ObjectHandle{d.store.object(d.target).Generation(generation)}
	if d.writer != nil {
		sources = append(sources, d.store.object(d.into))
	}
	// The target must still be the base: what another upload published meanwhile is not overwritten by old bytes.
	target := d.store.object(d.target).If(storage.Conditions{GenerationMatch: generation})
	composer := target.ComposerFrom(sources...)
	composer.ObjectAttrs = d.store.attrs(d.target, modTime)
	composer.PredefinedACL = d.store.objectACL()
	attrs, err := composer.Run(ctx)
	if hasCode(err, 412) || errors.Is(d.store.translate(err), remote.ErrNotExist) {
		return objects.Object{}, errReplaced
	}
	if err != nil {
		return objects.Object{}, d.store.translate(err)
	}
	return describe(attrs), nil
}

// Abort implements objects.Draft.
func (d *draft) Abort() {
	d.cancel()
	if d.writer != nil {
		_ = d.writer.Close() // waits for its goroutine; what it was told to do was cancelled
	}
	if d.stored {
		d.stored = false
		d.remove()
	}
}

func parseVersion(s string) (int64, error) {
	var generation int64
	if _, err := fmt.Sscan(s, &generation); err != nil {
		return 0, errors.New("the version of the file is not known")
	}
	return generation, nil
}
