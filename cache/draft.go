package cache

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"ferry/disk"
)

// CreateOptions are the options of Create. At most one of Record and Part is set.
type CreateOptions struct {
	Name  string
	Owner string // owner of the part that Keep leaves

	// Record is the ID of a pending file. The draft begins with a copy of its first Off bytes.
	Record string

	// Part continues the owner's unfinished upload of Name, truncated to Off bytes; if From is set,
	// the upload of that owner, whose size must be Off.
	Part bool
	From string

	Off int64

	// Continues means that the draft appends to the file Name on the remote. For a Part it is
	// stored with the part.
	Continues bool
}

// A Draft is a content being written. It is used by one goroutine, except that Size, ReadAt, Keep
// and Abort may be called at any time. Exactly one of Commit, CommitClean, Keep and Abort ends it;
// later calls do nothing and return nil. After a failed Commit or CommitClean it is still open for
// Keep or Abort.
type Draft struct {
	// constant
	s       *Store
	id      string
	name    string
	owner   string
	goesOn  bool // see CreateOptions.Continues
	file    disk.File
	stopped chan struct{} // closed to end waits for space: the draft or its context has ended
	unhook  func() bool   // of the context

	// of the writing goroutine
	slots      slots
	counted    int64 // bytes in quota
	synced     int64 // bytes that were durable when it began
	syncFailed bool  // a sync has failed
	unnamed    bool  // its file has no name yet

	size     atomic.Int64
	released atomic.Int64 // bytes at the beginning that were freed on the disk
	streamed atomic.Bool  // see Stream

	stop sync.Once // closes stopped

	mu     sync.Mutex
	busy   bool         // a call of the writing goroutine is under way
	ended  bool         // no more calls of the writing goroutine
	finish func() error // ends the draft when the call under way returns
}

// describeAfter is the size from which a draft has a name, and a header. A smaller one saves the
// name and a write, but does not survive the death of the process.
const describeAfter = 1 << 20

// Create begins a content. ctx bounds the waits for space until the draft ends. It returns
// ErrNameTooLong if the name does not fit in a header, and fs.ErrNotExist if the record or part to
// begin with does not exist.
func (s *Store) Create(ctx context.Context, o CreateOptions) (*Draft, error) {
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

// open creates the file in tmp/.
func (d *Draft) open(o CreateOptions) error {
	if o.Part {
		return d.s.continuePart(d, o)
	}
	var f disk.File
	err := errors.ErrUnsupported
	if namer, ok := d.s.disk.(disk.Namer); ok {
		f, err = namer.CreateUnnamed(tmpDir)
		d.unnamed = err == nil
	}
	if errors.Is(err, errors.ErrUnsupported) {
		f, err = d.s.disk.OpenFile(d.path(), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	}
	if err != nil {
		return err
	}
	d.file, d.counted = f, dataStart
	d.s.quota.addFile(stateDraft, dataStart)
	return nil
}

// copyHead begins the draft with the first bytes of a pending file. The file system copies them, or
// shares the blocks.
func (d *Draft) copyHead(o CreateOptions) error {
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

// Continues reports whether the draft appends to the file on the remote.
func (d *Draft) Continues() bool { return d.goesOn }

// Size returns how many bytes have been written.
func (d *Draft) Size() int64 { return d.size.Load() }

// ReadAt reads bytes that have been written already.
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

// Keep ends the draft and keeps its content as the owner's part of the name, which survives a power
// loss. An empty draft is discarded.
func (d *Draft) Keep() error { return d.end(d.keep) }

func (d *Draft) keep() error {
	if d.size.Load() == 0 || d.streamed.Load() || d.syncFailed {
		return d.discard()
	}
	if err := d.giveName(); err != nil {
		return errors.Join(err, d.discard())
	}
	h := d.header(statePart)
	h.Size, h.Synced, h.Spooled, h.Committed = d.size.Load(), d.synced, false, time.Now()
	err := d.s.quota.retryOnENOSPC(d.stopped, slotSize, func() error { return d.slots.write(d.file, &h) })
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
