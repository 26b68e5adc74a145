package gcs

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/partname"
)

const (
	// chunk is what is sent at a time of a larger one, and held in memory in case it has to be sent
	// again.
	chunk = 16 << 20
	// smallBase is up to where a file that is appended to is read and written anew, which keeps its
	// MD5.
	smallBase = 256 << 10
	// abortTime is how long the removal of a temporary object may take.
	abortTime = 30 * time.Second
)

// A draft is an upload. Its bytes go to the target, or to a temporary object that is composed with
// the base at the end.
type draft struct {
	store    *store
	target   objects.Key
	only     *string        // the generation of what may be replaced; see objects.CreateOptions
	base     objects.Object // what is continued, and where composes is set in front of the temporary object
	composes bool
	into     objects.Key // what is written to: the target or the temporary object
	modTime  time.Time

	memory *google.Memory
	grow   func(n int) error // makes held larger, for n bytes in all
	start  func() *inserting
	resume func(at google.Place) *inserting
	cancel context.CancelFunc // of that
	remove func()             // deletes the temporary object

	held   []byte
	insert *inserting   // nil as long as everything is held
	doubt  *atomic.Bool // the insert has ended without an answer
	stored bool         // the temporary object may be there
	size   int64        // of all that was written, and of a base in front of it

	mu     sync.Mutex
	piping *inserting    // guarded by mu; insert, for Halt
	halted error         // guarded by mu; why Write takes no more
	place  *google.Place // guarded by mu; how far the insert has come, once it has come somewhere
	rest   []byte        // guarded by mu; what follows that, once the insert was cut
}

// Create implements objects.Store.
func (s *store) Create(ctx context.Context, k objects.Key, o objects.CreateOptions) (objects.Draft, error) {
	d := s.newDraft(ctx, k, o)
	if o.Keep > 0 && !d.composes {
		if err := d.writeBase(ctx, o); err != nil {
			d.Abort()
			return nil, err
		}
	}
	return d, nil
}

// newDraft returns an upload of which nothing was written yet.
func (s *store) newDraft(ctx context.Context, k objects.Key, o objects.CreateOptions) *draft {
	d := &draft{store: s, target: k, into: k, only: o.Only, base: o.Base, modTime: o.ModTime, doubt: new(atomic.Bool)}
	if o.Keep == o.Base.Size && o.Keep > smallBase {
		d.composes, d.into, d.size = true, temporary(k), o.Keep
	}
	writing, cancel := context.WithCancel(remote.WithUnanswered(ctx, func() { d.doubt.Store(true) }))
	d.cancel = cancel
	d.memory = google.NewMemory(s.options.Network.Memory, chunk)
	d.grow = func(n int) (err error) {
		d.held, err = d.memory.Begin(writing, d.held, n)
		return err
	}
	d.start = func() *inserting {
		return start(func(body io.Reader) (*object, error) {
			return s.insert(writing, d.insertion(d.facts(d.modTime)), body, d.memory, d.notes())
		})
	}
	d.resume = func(at google.Place) *inserting {
		return start(func(body io.Reader) (*object, error) { return s.resume(writing, at, body, d.memory, d.notes()) })
	}
	d.remove = func() {
		removing, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
		defer cancel()
		_ = s.Delete(removing, d.into, "") // what cannot be removed now is removed by a later listing
	}
	return d
}

// facts are what the object is stored with besides its content.
func (d *draft) facts(modTime time.Time) *object {
	base, continues := d.base.Facts.(*object)
	if !continues {
		return d.store.facts(d.target, modTime)
	}
	o := d.store.keptFacts(d.target, base)
	if !modTime.IsZero() {
		if o.Metadata == nil {
			o.Metadata = map[string]string{}
		}
		maps.Copy(o.Metadata, withModTime(modTime))
	}
	return o
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
	if err := d.ended(); err != nil {
		return 0, err
	}
	if d.insert == nil {
		if all := len(d.held) + len(p); all <= google.Small {
			if err := d.grow(all); err != nil {
				return 0, d.store.translate(err)
			}
			d.held = append(d.held, p...)
			d.size += int64(len(p))
			return len(p), nil
		}
		d.stored = d.composes
		d.pipe(d.start())
		held := d.held
		d.held = nil
		if _, err := d.insert.Write(held); err != nil {
			d.size = -1 // what was held is lost
			return 0, d.store.translate(err)
		}
		d.memory.Recycle(held)
	}
	n, err := d.insert.Write(p)
	d.size += int64(n)
	return n, d.store.translate(err)
}

// pipe begins to write to i.
func (d *draft) pipe(i *inserting) {
	d.insert = i
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.piping = i; d.halted != nil {
		_ = i.CloseWithError(d.halted) // never fails
	}
}

// ended returns why nothing more is taken, or nil.
func (d *draft) ended() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.halted
}

// notes has noted how far the insert has come.
func (d *draft) notes() notes {
	return notes{
		confirmed: func(at google.Place) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.place = &at
		},
		rest: func(chunk []byte) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.rest = chunk
		},
	}
}

// Commit implements objects.Draft.
func (d *draft) Commit(ctx context.Context, modTime time.Time) (objects.Object, error) {
	stop := context.AfterFunc(ctx, d.cancel)
	defer stop()
	known := cmp.Or(modTime, d.modTime)
	if d.insert == nil {
		return d.commitHeld(ctx, cmp.Or(known, time.Now()))
	}
	finishing, release := remote.Committed(ctx) // the time belongs to what is published
	defer release()
	stored, err := d.insert.end(nil)
	if d.doubt.Load() { // which who commits wants to know, not who began
		remote.Unanswered(ctx)
	}
	if err != nil {
		return objects.Object{}, d.store.translate(err)
	}
	if d.composes {
		return d.compose(ctx, cmp.Or(known, time.Now()), true)
	}
	o := describe(stored)
	if !known.IsZero() && !o.ModTime.Equal(known) {
		// The content is published: that its time could not be set does not make the upload a
		// failure.
		if err := d.store.SetModTime(finishing, d.target, known); err == nil {
			o.ModTime = known
		}
	}
	return o, nil
}

// commitHeld stores what is held, which is everything, in one request.
func (d *draft) commitHeld(ctx context.Context, modTime time.Time) (objects.Object, error) {
	if d.composes && len(d.held) == 0 {
		return d.compose(ctx, modTime, false)
	}
	d.stored = d.composes
	o, err := d.insertHeld(ctx, d.insertion(d.facts(modTime)))
	if err != nil {
		return objects.Object{}, d.store.translate(err)
	}
	d.memory.Recycle(d.held)
	d.held = nil
	if d.composes {
		return d.compose(ctx, modTime, true)
	}
	return describe(o), nil
}

// compose puts the temporary object, if there is one, behind the base. The target must still be the
// base: what another upload published meanwhile is not overwritten by old bytes.
func (d *draft) compose(ctx context.Context, modTime time.Time, tail bool) (objects.Object, error) {
	if d.only != nil && *d.only != d.base.Version {
		return objects.Object{}, remote.ErrChanged
	}
	generation, err := strconv.ParseInt(d.base.Version, 10, 64)
	if err != nil {
		return objects.Object{}, errors.New("the version of the file is not known")
	}
	sources := []source{{Name: d.target.Name, Generation: generation}}
	if tail {
		sources = append(sources, source{Name: d.into.Name})
	}
	query := url.Values{"ifGenerationMatch": {d.base.Version}, "fields": {fields}}
	d.store.setACL(query, "destinationPredefinedAcl")
	o := new(object)
	err = d.store.service.Do(ctx, google.Call{
		Method: http.MethodPost,
		Path:   objectPath(d.target.Bucket, d.target.Name) + "/compose",
		Query:  query,
		Sends:  composition{Destination: d.facts(modTime), SourceObjects: sources},
	}, o)
	if google.HasCode(err, http.StatusPreconditionFailed) || google.HasCode(err, http.StatusNotFound) {
		if d.only != nil {
			return objects.Object{}, remote.ErrChanged
		}
		return objects.Object{}, errReplaced
	}
	if err != nil {
		return objects.Object{}, d.store.translate(err)
	}
	return describe(o), nil
}

// Abort implements objects.Draft.
func (d *draft) Abort() {
	d.cancel()
	if d.insert != nil {
		_, _ = d.insert.end(context.Canceled) // it was given up, or is done
	}
	d.memory.Upload.End()
	if d.stored {
		d.stored = false
		d.remove()
	}
}
