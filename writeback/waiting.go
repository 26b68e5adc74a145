package writeback

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"ferry/cache"
)

// Pending is the interface to the pending changes of a tree. Without a cache there are none.
type Pending interface {
	// Run applies pending changes to the remote, and maintains the cache, until ctx ends. It is
	// called once; if there is nothing to do by then or later, it returns at once. A change that is
	// being applied when ctx ends stays pending, for the next Run of any process.
	Run(ctx context.Context) error

	// Flush applies the pending changes at and below path at once, and returns when the remote has
	// them. It does not wait for changes that are accepted meanwhile. A change that the remote
	// refuses for good is an error.
	Flush(ctx context.Context, path string) error

	// Waiting returns a summary of the pending changes.
	Waiting() Waiting

	// Oldest returns when the oldest change was accepted that the remote does not have; zero if
	// there is none.
	Oldest() time.Time

	// Queue returns the pending changes, the oldest first.
	Queue() []Queued

	// SetExpiry changes when a pending change is due: expiry from now, or with relative, expiry
	// after its previous time. It returns fs.ErrNotExist if there is no such change.
	SetExpiry(id int64, expiry time.Duration, relative bool) error

	// SetAside gives up a pending file: it is as if the remote refused it for good, except that no
	// later process tries it again by itself. An attempt under way is not cancelled; if it
	// succeeds, the remote has the file. It returns fs.ErrNotExist if there is no such file.
	SetAside(id int64) error

	// Refused returns the changes that the remote refused for good, and those damaged on the local
	// disk.
	Refused() ([]cache.LostRecord, error)

	// RetryRefused makes a refused change pending again, as if it had just been accepted.
	RetryRefused(id string) error

	// DropRefused discards a refused change.
	DropRefused(id string) error
}

// Waiting is a summary of the pending changes.
type Waiting struct {
	Changes   int   // files, directories, removals and renames
	Bytes     int64 // of the files
	Uploading int   // changes being applied
	Failing   int   // changes whose last attempt failed
	LastError error // of the failing ones; nil = none
	Causes    []Cause
}

// A Queued is a pending change.
type Queued struct {
	ID        int64 // may change when the file is renamed or replaced
	Name      string
	Size      int64
	Kind      cache.Kind
	Since     time.Time     // when the oldest change that it includes was made
	Expiry    time.Time     // when it is due
	Tries     int           // failed attempts
	Delay     time.Duration // between the last failed attempt and the next
	LastError error         // of the last failed attempt
	Because   string        // text of the Cause, shared with other changes; "" = no attempt has failed
	Uploading bool
}

// Drain flushes everything before shutdown, and reports what is left at the start and then every
// interval.
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
			ID: int64(c.rec.Seq), Name: c.rec.Name, Kind: c.rec.Kind, Size: c.bytes(), Since: c.first, Expiry: c.due,
			Tries: c.tries, Delay: c.delay, LastError: c.failed, Uploading: c.run != nil,
			Because: c.reason(),
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
	return v.atID(id, func(c *change) error {
		from := time.Now()
		if relative {
			from = c.due
		}
		c.due = from.Add(expiry)
		return nil
	})
}

// SetAside implements Pending. The next attempt moves the record to lost/, as it does with one that
// the remote refuses.
func (v *Tree) SetAside(id int64) error {
	return v.atID(id, func(c *change) error {
		if c.rec.Kind != cache.File || c.isApplied || c.ending {
			return os.ErrNotExist
		}
		c.aside = true
		c.due = time.Now()
		return nil
	})
}

// errAside is why a change that was set aside is in lost/. Its text is in records.
var errAside = errors.New("set aside by the administrator")

// atID calls do with the pending change of an id, and looks at when it is due again.
func (v *Tree) atID(id int64, do func(*change) error) error {
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
	if err := do(c); err != nil {
		return err
	}
	v.queue.push(c)
	v.signal()
	return nil
}

// Refused implements Pending.
func (v *Tree) Refused() ([]cache.LostRecord, error) { return v.store.Lost() }
