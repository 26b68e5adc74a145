package writeback

import (
	"cmp"
	"context"
	"os"
	"slices"
	"time"

	"ferry/cache"
)

// Pending is what a tree tells of what waits for the remote, and what can be done about it. Without
// a cache nothing waits.
type Pending interface {
	// Run applies on the remote what waits, and keeps the cache in order, until ctx ends. It is
	// called once; where nothing can wait it returns at once. What is under way when ctx ends goes
	// on waiting, for the next Run of any process.
	Run(ctx context.Context) error

	// Flush has what waits at path and below it sent at once, and returns when the remote has it.
	// It does not wait for what is taken in meanwhile. What the remote refused for good is an
	// error.
	Flush(ctx context.Context, path string) error

	// Waiting returns how much waits for the remote now.
	Waiting() Waiting

	// Queue returns what waits for the remote, the oldest first.
	Queue() []Queued

	// SetExpiry changes when a queued change is applied: that long from now, or with relative
	// that long after the time it had. It returns fs.ErrNotExist where no such change waits.
	SetExpiry(id int64, expiry time.Duration, relative bool) error

	// Refused returns what the remote refused for good, and what was damaged on the local disk.
	Refused() ([]cache.LostRecord, error)

	// RetryRefused has something that the remote refused wait for it again, as if it had just been
	// taken in.
	RetryRefused(id string) error

	// DropRefused forgets something that the remote refused.
	DropRefused(id string) error
}

// Waiting is how much waits for the remote.
type Waiting struct {
	Changes   int   // files, and removals and directories to be made
	Bytes     int64 // of the files
	Uploading int   // changes that are being applied
	Failing   int   // changes whose last attempt failed
	LastError error // of those; nil = none
	Causes    []Cause
}

// A Queued is a change that waits for the remote.
type Queued struct {
	ID        int64 // it may change when the file is renamed or replaced
	Name      string
	Size      int64
	Kind      cache.Kind
	Expiry    time.Time     // when it is to be applied
	Tries     int           // attempts that failed
	Delay     time.Duration // between the last of those and the next
	LastError error         // of the last of those
	Because   string        // what others wait for too, that failed like this; "" = no attempt has failed
	Uploading bool
}

// Drain flushes everything, for the end: it reports what is left at first and then every so often.
func Drain(ctx context.Context, p Pending, every time.Duration, report func(Waiting)) error {
	done := make(chan error, 1)
	go func() { done <- p.Flush(ctx, ".") }()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		report(p.Waiting())
		select {
		case err := <-done:
			return err
		case <-tick.C:
		}
	}
}

// Queue implements Pending.
func (v *Tree) Queue() []Queued {
	changes := v.changes()
	list := make([]Queued, 0, len(changes))
	v.inBatches(changes, func(c *change) {
		list = append(list, Queued{
			ID: int64(c.rec.Seq), Name: c.rec.Name, Kind: c.rec.Kind, Size: c.bytes(), Expiry: c.due,
			Tries: c.tries, Delay: c.delay, LastError: c.failed, Uploading: c.run != nil,
			Because: c.because(),
		})
	})
	return list
}

// Waiting implements Pending.
func (v *Tree) Waiting() Waiting {
	v.mu.Lock()
	defer v.mu.Unlock()
	return Waiting{
		Changes: v.pending.changes.size(), Bytes: v.pending.bytes, Uploading: v.running,
		Failing: v.pending.failed, LastError: v.pending.last, Causes: v.causes.current(),
	}
}

// SetExpiry implements Pending.
func (v *Tree) SetExpiry(id int64, expiry time.Duration, relative bool) error {
	changes := v.changes()
	i, found := slices.BinarySearchFunc(changes, id, func(c *change, id int64) int { return cmp.Compare(int64(c.rec.Seq), id) })
	if !found {
		return os.ErrNotExist
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c := changes[i]
	if c.dead {
		return os.ErrNotExist
	}
	from := time.Now()
	if relative {
		from = c.due
	}
	c.due = from.Add(expiry)
	v.queue.push(c)
	v.signal()
	return nil
}

// Refused implements Pending.
func (v *Tree) Refused() ([]cache.LostRecord, error) { return v.store.Lost() }

// changes returns what waits at this moment, the oldest first.
func (v *Tree) changes() []*change {
	v.mu.Lock()
	waiting := v.pending.changes.snapshot()
	v.mu.Unlock()
	changes := make([]*change, 0, waiting.size())
	for _, c := range waiting.all() {
		changes = append(changes, c)
	}
	slices.SortFunc(changes, func(a, b *change) int { return cmp.Compare(a.rec.Seq, b.rec.Seq) })
	return changes
}

// inBatches calls do for each of changes, holding v.mu.
func (v *Tree) inBatches(changes []*change, do func(*change)) {
	for some := range slices.Chunk(changes, batch) {
		v.locked(func() {
			for _, c := range some {
				do(c)
			}
		})
	}
}

func (v *Tree) locked(do func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	do()
}
