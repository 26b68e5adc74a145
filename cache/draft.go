package cache

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"ferry/disk"
)

// Begin says how a Draft begins. At most one of Record and Part is set.
type Begin struct {
	Name  string
	Owner string // whose part it becomes when it is kept

	// Record is the ID of a waiting file. The draft begins with its first Off bytes; the file stays
	// as it is.
	Record string

	// Part makes the owner's unfinished upload of Name the draft, cut to Off bytes. With From it is
	// that of another owner, which must end at Off.
	Part bool
	From string

	Off int64

	// Continues says that the draft goes on with the file that the remote has as Name. A Part
	// knows that by itself.
	Continues bool
}

// A Draft is a content being written. It is used by one goroutine, except that Size, ReadAt, Keep
// and Abort may be called at any time. Exactly one of Commit, Adopt, Keep and Abort ends it;
// later calls do nothing and return nil. A Commit or Adopt that fails leaves it open for Keep or
// Abort.
type Draft struct {
	// constant
	s       *Store
	id      string
	name    string
	owner   string
	goesOn  bool // see Begin.Continues
	file    disk.File
	stopped chan struct{} // closed when nobody waits for room any more: the draft or its context has ended
	unhook  func() bool   // of the context

	// of the writing goroutine
	slots   slots
	counted int64 // bytes in room
	synced  int64 // bytes that were on the disk when it began
	unsound bool  // a sync has failed

	size     atomic.Int64
	released atomic.Int64 // bytes at the beginning that have left the disk
	streamed atomic.Bool  // see Stream

	stop sync.Once // closes stopped

	mu     sync.Mutex
	busy   bool         // a call of the writing goroutine is under way
	ended  bool         // no more calls of the writing goroutine
	finish func() error // ends the draft when the call under way returns
}

// describeAfter is how long a draft becomes before its header is written. A shorter one has one
// write less, and does not survive the death of the process.
const describeAfter = 1 << 20

// Create begins a content. ctx bounds the waits for room until the draft ends. A name that does not
// fit a header is ErrNameTooLong, and what the draft should begin with but is not there
// fs.ErrNotExist.
func (s *Store) Create(ctx context.Context, o Begin) (*Draft, error) {
	d := &Draft{s: s, id: newID(), name: o.Name, owner: o.Owner, goesOn: o.Continues, stopped: make(chan struct{})}
	h := d.header(stateDraft)
	if _, err := h.encode(0); err != nil {
		return nil, &fs.PathError{Op: "create", Path: o.Name, Err: err}
	}
	if err := d.open(o); err != nil {
		return nil, err
	}
	d.unhook = context.AfterFunc(ctx, d.stopWaiting)
	if o.Record != "" && o.Off > 0 {
		if err := d.copyHead(o); err != nil {
			return nil, errors.Join(err, d.Abort())
		}
	}
	return d, nil
}

// open makes the file in tmp/.
func (d *Draft) open(o Begin) error {
	if o.Part {
		return d.s.continuePart(d, o)
	}
	f, err := d.s.disk.OpenFile(d.path(), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	d.file, d.counted = f, dataStart
	d.s.room.enter(stateDraft, dataStart)
	return nil
}

func (d *Draft) path() string { return path.Join(tmpDir, d.id) }

// header describes the draft in state st.
func (d *Draft) header(st state) header {
	h := header{State: st, Name: d.name, Owner: d.owner, Boot: d.s.disk.Boot(), Spooled: true}
	if d.streamed.Load() {
		h.Owner = ""
	}
	if d.goesOn {
		h.FactsOf = d.name
	}
	return h
}

// copyHead begins the draft with the head of a waiting file. The file system copies it, or shares
// it.
func (d *Draft) copyHead(o Begin) error {
	c, err := d.s.OpenContent(o.Record)
	if err != nil {
		return err
	}
	defer c.Close()
	if o.Off > c.Size() {
		return &fs.PathError{Op: "create", Path: o.Name, Err: fs.ErrInvalid}
	}
	head, err := c.Reader(0)
	if err != nil {
		return err
	}
	defer head.Close()
	n, err := d.ReadFrom(&io.LimitedReader{R: head, N: o.Off})
	if err == nil && n < o.Off {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Continues reports whether the draft goes on with the file that the remote has.
func (d *Draft) Continues() bool { return d.goesOn }

// Size returns how many bytes have been written.
func (d *Draft) Size() int64 { return d.size.Load() }

// ReadAt reads what has been written so far.
func (d *Draft) ReadAt(p []byte, off int64) (int, error) {
	have := d.size.Load() - off
	if have <= 0 {
		return 0, io.EOF
	}
	short := int64(len(p)) > have
	n, err := d.file.ReadAt(p[:min(int64(len(p)), have)], dataStart+off)
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

// enter begins a call of the writing goroutine.
func (d *Draft) enter() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return fs.ErrClosed
	}
	d.busy = true
	return nil
}

// leave ends the call. If Keep or Abort came meanwhile, it does what they left to it.
func (d *Draft) leave() error {
	d.mu.Lock()
	finish := d.finish
	d.busy, d.finish = false, nil
	d.mu.Unlock()
	if finish == nil {
		return nil
	}
	return errors.Join(fs.ErrClosed, finish())
}

// leaveEnded ends the call that has ended the draft.
func (d *Draft) leaveEnded() {
	d.mu.Lock()
	d.busy, d.finish, d.ended = false, nil, true
	d.mu.Unlock()
	d.stopWaiting()
	d.unhook()
}

// end runs finish once, as soon as no call of the writing goroutine is under way.
func (d *Draft) end(finish func() error) error {
	d.mu.Lock()
	if d.ended {
		d.mu.Unlock()
		return nil
	}
	d.ended = true
	if d.busy {
		d.finish = finish
	}
	later := d.busy
	d.mu.Unlock()
	d.stopWaiting()
	d.unhook()
	if later {
		return nil
	}
	return finish()
}

func (d *Draft) stopWaiting() { d.stop.Do(func() { close(d.stopped) }) }

// Abort ends the draft and forgets what was written.
func (d *Draft) Abort() error { return d.end(d.discard) }

func (d *Draft) discard() error {
	err := errors.Join(d.file.Close(), d.s.disk.Remove(d.path()))
	d.s.room.leave(stateDraft, d.counted-d.released.Load())
	return err
}

// Keep ends the draft and keeps what was written as the owner's part of the name, which survives
// the loss of power. An empty one is discarded.
func (d *Draft) Keep() error { return d.end(d.keep) }

func (d *Draft) keep() error {
	if d.size.Load() == 0 || d.streamed.Load() || d.unsound {
		return d.discard()
	}
	h := d.header(statePart)
	h.Size, h.Synced, h.Spooled, h.Committed = d.size.Load(), d.synced, false, time.Now()
	err := d.s.room.whenFull(d.stopped, slotSize, func() error { return d.slots.write(d.file, &h) })
	if err == nil {
		err = d.slots.sync(d.file)
	}
	if err == nil {
		err = d.s.keepPart(d.path(), part{
			info:  h.partInfo(),
			kept:  h.Committed,
			slots: d.slots, bytes: d.counted,
		})
	}
	if err != nil {
		return errors.Join(err, d.discard())
	}
	_ = d.file.Close() // it is written
	return d.s.syncPart.wait()
}
