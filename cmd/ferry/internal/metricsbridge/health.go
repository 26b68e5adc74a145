package metricsbridge

import (
	"context"
	"errors"
	"sync"
	"time"

	"ferry/cmd/ferry/internal/places"
	"ferry/rc"
	"ferry/vfs"
)

const (
	// stuckTime is for how long a listener may be busy with one connection.
	stuckTime = 10 * time.Second
	// answerTime is how old the last answer of the remote may be.
	answerTime = 30 * time.Second
	// askTime is how old it may be before the remote is asked for another one.
	askTime = 10 * time.Second
)

// alive are the checks of whether the process is.
func (b *Bridge) alive() []rc.Check {
	return []rc.Check{{Name: "accept", Ask: b.of(func(_ context.Context, at *Subject) (string, error) {
		if at.Server.Accepting().Busy > stuckTime {
			return "New connections are not accepted.", nil
		}
		return "", nil
	})}}
}

// ready are the checks of whether it can serve.
func (b *Bridge) ready() []rc.Check {
	return []rc.Check{
		{Name: "listeners", Ask: b.of(listening)},
		{Name: "drain", Ask: b.of(draining)},
		{Name: "remote", Ask: b.of(b.answering)},
		{Name: "cache", Ask: b.of(b.writable)},
		{Name: "queue", Ask: b.of(b.inTime)},
	}
}

// of is a check of what b looks at.
func (b *Bridge) of(check func(ctx context.Context, at *Subject) (string, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		at := b.subject.Load()
		if at == nil {
			return "The server is starting.", nil
		}
		return check(ctx, at)
	}
}

func listening(_ context.Context, at *Subject) (string, error) {
	if now := at.Server.Accepting(); !now.Closing && now.Listeners < at.Listeners {
		return "Not all addresses are served.", nil
	}
	return "", nil
}

func draining(_ context.Context, at *Subject) (string, error) {
	if at.Server.Accepting().Closing {
		return "The server is stopping.", nil
	}
	if at.Leaving != nil {
		return at.Leaving(), nil
	}
	return "", nil
}

func (b *Bridge) answering(ctx context.Context, at *Subject) (string, error) {
	if at.Main.Tree == nil {
		return "", nil
	}
	if err := b.pulse.ask(ctx, at.Main.Tree); err != nil {
		return "The storage cannot be reached.", err
	}
	return "", nil
}

// writable looks at one disk cache: all of them are on one disk and have one limit.
func (b *Bridge) writable(ctx context.Context, at *Subject) (string, error) {
	for _, o := range at.opened() {
		if o.Cache.Store == nil {
			continue
		}
		if err := b.disk.ask(ctx, o.Cache); err != nil {
			return "The disk of the cache cannot be written.", err
		}
		free, err := o.Cache.Free()
		if err == nil && free+o.Cache.Stats().Clean.Bytes <= 0 {
			return "The disk of the cache is full.", nil
		}
		return "", nil
	}
	return "", nil
}

func (b *Bridge) inTime(_ context.Context, at *Subject) (string, error) {
	late := b.late()
	if late <= 0 {
		return "", nil
	}
	for _, o := range at.opened() {
		if age(o) > late {
			return "Changes have waited for the storage for too long.", o.Tree.Waiting().LastError
		}
	}
	return "", nil
}

// A pulse is when the main remote last answered.
type pulse struct {
	mu   sync.Mutex
	last time.Time // guarded by mu; that it answered
}

// ask returns why the remote of tree does not answer. One that is as fast as a cache is asked each
// time. Another one is not asked again for a while, and an error counts when it lasts.
func (p *pulse) ask(ctx context.Context, tree *vfs.FS) error {
	p.mu.Lock()
	last := p.last
	p.mu.Unlock()
	cheap := tree.Remote().Caps.CheapStat
	if !cheap && time.Since(last) < askTime {
		return nil
	}
	err := tree.Ready(ctx)
	if err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.last = time.Now()
		return nil
	}
	if !cheap && time.Since(last) < answerTime {
		return nil
	}
	return err
}

// A diskCheck writes to a disk cache. Where that hangs, it is not begun again.
type diskCheck struct {
	mu   sync.Mutex
	done chan struct{} // guarded by mu; closed when the write under way has ended
	err  error         // of the last write; set before done is closed
}

var errDiskSilent = errors.New("the disk does not answer")

func (d *diskCheck) ask(ctx context.Context, store places.Cache) error {
	d.mu.Lock()
	done := d.done
	if done == nil {
		done = make(chan struct{})
		d.done = done
		go d.write(store, done)
	}
	d.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return errDiskSilent
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

func (d *diskCheck) write(store places.Cache, done chan struct{}) {
	err := store.CheckWritable()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err, d.done = err, nil
	close(done)
}
