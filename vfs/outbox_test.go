package vfs

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/disk/disktest"
	"ferry/events"
	"ferry/remote"
)

// An outbox is a listener that must not miss an upload. What it was told is on the disk of the
// cache: each call writes there, and when the disk has stopped it takes nothing down any more.
type outbox struct {
	t     *testing.T
	inner remote.Remote // the files of the remote
	exact bool          // nothing is late: when a file is told of, the remote has it
	saw   *witness      // what the remote has ever had; nil = nobody knows

	mu       sync.Mutex
	note     func(format string, args ...any)
	life     int                       // guarded by mu; counts processes
	disk     *disktest.Disk            // guarded by mu
	sent     map[string]string         // guarded by mu; the last bytes of each upload, by the ID of its Origin
	prepared map[string]events.Event   // guarded by mu; by ID
	stored   map[string][]events.Event // guarded by mu; by the ID of the upload
	refused  map[string]bool           // guarded by mu; by the ID of the upload
	promised map[string]bool           // guarded by mu; what was sent and acknowledged; nil = all counts
}

// listen gives the processes of b, from the next one on, an outbox, which outlives them.
func (b *rig) listen() {
	b.told = &outbox{
		t: b.t, inner: b.files, disk: b.disk,
		sent: map[string]string{}, prepared: map[string]events.Event{}, stored: map[string][]events.Event{}, refused: map[string]bool{},
	}
}

// A process is a listener of one process, whose calls do nothing after its death.
type process struct {
	*outbox
	life int
}

// stream returns that of the next process, whose disk is d.
func (o *outbox) stream(d *disktest.Disk) *events.Stream {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.life, o.disk = o.life+1, d
	p := &process{o, o.life}
	return events.New(events.Subscription{Kinds: events.Of(events.UploadStored, events.UploadRefused), Listener: p})
}

// die ends the process.
func (o *outbox) die() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.life++
}

func (p *process) dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.life != p.outbox.life
}

func (p *process) Prepare(_ context.Context, e *events.Event) error {
	if p.dead() {
		return errNetwork
	}
	return p.outbox.prepare(e)
}

func (p *process) Record(_ context.Context, e *events.Event) error {
	if p.dead() {
		return errNetwork
	}
	return p.outbox.record(e)
}

func (p *process) Withdraw(_ context.Context, id string) {
	if !p.dead() {
		p.outbox.withdraw(id)
	}
}

// origin returns the context of an upload of content by a client that sees all of the tree.
func (o *outbox) origin(ctx context.Context, name, content string) context.Context {
	if o == nil {
		return ctx
	}
	time.Sleep(time.Millisecond) // no two files have the same time
	o.mu.Lock()
	defer o.mu.Unlock()
	id := fmt.Sprint("u", len(o.sent))
	o.sent[id] = content
	return events.WithOrigin(ctx, events.Origin{ID: id, User: "bob", Path: "/" + name})
}

func (o *outbox) noted(what string, e *events.Event) {
	if o.note != nil {
		id, _, _ := strings.Cut(e.ID, ".")
		o.note("%65s the outbox: %s %s of %d, %s, which replaces %q", "", what, e.Name, e.Size, o.sent[id], e.Replaced)
	}
}

// write changes something on the disk.
//
// LOCKS_REQUIRED(o.mu)
func (o *outbox) write(id string) error {
	f, err := o.disk.OpenFile("outbox", os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt([]byte(id), 0)
	return err
}

func (o *outbox) prepare(e *events.Event) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.write(e.ID); err != nil {
		return err
	}
	o.prepared[e.ID] = *e
	o.noted("prepare", e)
	return nil
}

func (o *outbox) record(e *events.Event) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	id, what, _ := strings.Cut(e.ID, ".")
	o.check(e, id, what)
	if err := o.write(e.ID); err != nil {
		return err
	}
	o.noted("record", e)
	delete(o.prepared, e.ID)
	if what == "refused" {
		o.refused[id] = true
		return nil
	}
	o.stored[id] = append(o.stored[id], *e)
	return nil
}

func (o *outbox) withdraw(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.write(id) == nil {
		o.noted("withdraw", &events.Event{ID: id})
		delete(o.prepared, id)
	}
}

// check looks whether e is true.
func (o *outbox) check(e *events.Event, id, what string) {
	sent, known := o.sent[id]
	if !known || e.Kind.String() != "upload."+what || e.Path != "/"+e.Name || e.User != "bob" {
		o.t.Errorf("told %+v", *e)
	}
	if e.Kind == events.UploadStored && o.saw != nil && !o.saw.hasHad(e.Name, sent) && !o.passesFor(e) {
		o.t.Errorf("told that %s is stored, which ends in %q; the remote never had that", e.Name, sent)
	}
	if !o.exact || e.Kind != events.UploadStored {
		return
	}
	got, err := o.read(e.Name)
	if err != nil || !strings.HasSuffix(got, sent) || e.Size != int64(len(got)) {
		o.t.Errorf("told that %s of %d bytes is stored, which ends in %q; the remote has %q, %v", e.Name, e.Size, sent, got, err)
	}
}

// passesFor reports whether an older file passes for that of e, whose publication was in doubt: it
// was not known which version is replaced, the size is the same, and the file is from no more than
// two minutes before the upload, as far as clocks may differ.
func (o *outbox) passesFor(e *events.Event) bool {
	there, err := o.inner.Stat(context.Background(), e.Name)
	return err == nil && e.Replaced == "" && there.Size == e.Size && !there.ModTime.Add(2*time.Minute).Before(e.Time.Add(-e.Duration))
}

func (o *outbox) read(name string) (string, error) {
	rc, err := o.inner.Open(context.Background(), name, 0, -1)
	if err != nil {
		return "", err
	}
	defer rc.Close()
	got, err := io.ReadAll(rc)
	return string(got), err
}

// acknowledge notes that the upload of content was acknowledged: only those count from now on.
func (o *outbox) acknowledge(content string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.promised == nil {
		o.promised = map[string]bool{}
	}
	o.promised[content] = true
}

// resolve asks the tree of the next process what became of uploads when the last one was killed.
func (o *outbox) resolve(fs *FS) {
	o.t.Helper()
	for range 5 { // what may still arrive has arrived by then
		if o.resolveOnce(fs) {
			return
		}
		time.Sleep(doubtPause)
	}
	o.t.Errorf("what became of these cannot be known: %v", o.prepared)
}

// resolveOnce reports whether nothing is open any more.
func (o *outbox) resolveOnce(fs *FS) bool {
	o.mu.Lock()
	open := maps.Clone(o.prepared)
	o.mu.Unlock()
	over := true
	for _, e := range open {
		is, err := fs.Stored(context.Background(), e)
		o.noted(fmt.Sprintf("asks: %v, %v, of", is, err), &e)
		switch {
		case err != nil:
			over = false
		case is:
			_ = o.record(&e)
		default:
			o.withdraw(e.ID)
		}
	}
	return over
}

// wantTold checks that each file of the remote that came from an upload has been told of, and
// nothing else: files are told apart by what was sent last.
func (o *outbox) wantTold() {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, file := range treeOf(o.t, o.inner, ".") {
		name, content, isFile := strings.Cut(file, "=")
		if !isFile || content == "" {
			continue
		}
		from := ""
		for id, sent := range o.sent {
			if strings.HasSuffix(content, sent) && (from == "" || len(sent) > len(o.sent[from])) {
				from = id
			}
		}
		if from != "" && len(o.stored[from]) == 0 && (o.promised == nil || o.promised[o.sent[from]]) {
			o.t.Errorf("nobody was told that %s is stored, which is upload %s of %q", name, from, o.sent[from])
		}
	}
	for id, told := range o.stored {
		first := told[0]
		for _, e := range told[1:] {
			if e.ID != first.ID || e.Size != first.Size {
				o.t.Errorf("told of upload %s:\n%+v and\n%+v", id, first, e)
			}
		}
	}
	if len(o.prepared) > 0 {
		o.t.Errorf("what became of these is still open: %v", o.prepared)
	}
}
