package vfs

import (
	"context"
	"errors"
	"os"
	"time"

	"ferry/cache"
)

// Cache says what is kept on the local disk, and what is promised of it. The zero value keeps
// nothing: everything is streamed, and an upload is answered when the remote has it.
type Cache struct {
	Store *cache.Store // stays the caller's to close; nil = nothing is kept
	Mode  CacheMode
	Ack   WriteAck

	// WriteBack is how long a file waits until it is sent.
	WriteBack time.Duration
	// Transfers is how many changes are carried out on the remote at a time; below 1 it is 1.
	Transfers int

	// ReadAhead is how many bytes CacheFull reads ahead onto the disk, besides those in memory.
	// FastFingerprint tells the versions of a file apart without asking for a hash, where the
	// remote names none.
	ReadAhead       int64
	FastFingerprint bool
}

// CacheMode is what goes through the local disk.
type CacheMode uint8

const (
	CacheMinimal CacheMode = iota // uploads that continue a file
	CacheWrites                   // every upload
	CacheFull                     // every upload, and what is read
)

// WriteAck is what has become of an upload when Commit returns.
type WriteAck uint8

const (
	AckDurable WriteAck = iota // it will reach the remote, also after a loss of power
	AckSpooled                 // it will reach the remote unless the machine goes down before it is on the disk
	AckRemote                  // the remote has it
)

// Run carries out on the remote what waits, and keeps the cache in order, until ctx ends. It is
// called once; without a cache it returns at once. What is under way when ctx ends goes on waiting,
// for the next Run of any process.
func (f *FS) Run(ctx context.Context) error {
	if f.over == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	kept := make(chan error, 1)
	go func() {
		err := f.opt.Cache.Store.Run(ctx)
		if err != nil {
			cancel() // what cannot be kept in order is not relied on
		}
		kept <- err
	}()
	err := f.over.run(ctx)
	cancel()
	return errors.Join(err, <-kept)
}

// Flush has what waits at path and below it sent at once, and returns when the remote has it. It
// does not wait for what is taken in meanwhile. What the remote refused for good is an error.
func (f *FS) Flush(ctx context.Context, path string) error {
	if f.over == nil {
		return nil
	}
	return f.over.flush(ctx, path)
}

// Drain is Flush of everything, for the end: it reports what is left at first and then every so
// often.
func (f *FS) Drain(ctx context.Context, every time.Duration, report func(Waiting)) error {
	if f.over == nil {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- f.over.flush(ctx, ".") }()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		report(f.Waiting())
		select {
		case err := <-done:
			return err
		case <-tick.C:
		}
	}
}

// Waiting is how much waits for the remote.
type Waiting struct {
	Changes   int   // files, and removals and directories to be made
	Bytes     int64 // of the files
	Uploading int   // changes that are being carried out
	Failing   int   // changes whose last attempt failed
	LastError error // of those; nil = none
	Causes    []Cause
}

// Waiting returns how much waits for the remote now.
func (f *FS) Waiting() Waiting {
	if f.over == nil {
		return Waiting{}
	}
	return f.over.waiting()
}

// A Queued is a change that waits for the remote.
type Queued struct {
	ID        int64 // it may change when the file is renamed or replaced
	Name      string
	Size      int64
	Kind      cache.Kind
	Expiry    time.Time     // when it is to be carried out
	Tries     int           // attempts that failed
	Delay     time.Duration // between the last of those and the next
	LastError error         // of the last of those
	Because   string        // what others wait for too, that failed like this; "" = no attempt has failed
	Uploading bool
}

// Queue returns what waits for the remote, the oldest first.
func (f *FS) Queue() []Queued {
	if f.over == nil {
		return nil
	}
	return f.over.queued()
}

// SetExpiry changes when a queued change is carried out: that long from now, or with relative that
// long after the time it had. It returns fs.ErrNotExist where no such change waits.
func (f *FS) SetExpiry(id int64, expiry time.Duration, relative bool) error {
	if f.over == nil {
		return os.ErrNotExist
	}
	return f.over.setExpiry(id, expiry, relative)
}

// Refused returns what the remote refused for good, and what was damaged on the local disk.
func (f *FS) Refused() ([]cache.LostRecord, error) {
	if f.over == nil {
		return nil, nil
	}
	return f.opt.Cache.Store.Lost()
}

// RetryRefused has something that the remote refused wait for it again, as if it had just been
// taken in.
func (f *FS) RetryRefused(id string) error {
	if f.over == nil {
		return os.ErrNotExist
	}
	return f.over.retry(id)
}

// DropRefused forgets something that the remote refused.
func (f *FS) DropRefused(id string) error {
	if f.over == nil {
		return os.ErrNotExist
	}
	return f.over.dropLost(id)
}
