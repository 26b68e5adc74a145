package smb

import (
	"context"
	"sync"
	"time"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote/driver/internal/conns"
)

// A server refuses to rename, replace or remove a file that is open, also if it is this program
// that has it open, and a directory with open files below. Package smb2 has no way to open a file
// so that others may do that. So when a change is refused, it is made once more while nothing that
// it concerns is open: a gate stops other calls for the moment, and what is open steps aside, to be
// opened again under its new name when it is needed next. (What is open under the name of a link
// stays open: then the file is in use.)

// An opened file or directory can step aside.
type opened interface {
	// aside closes it for a while, or reports that it cannot before the deadline.
	aside(deadline time.Time) bool
}

// files are what a remote has open.
type files struct {
	gate    *gate    // constant
	watches *watches // constant

	mu   sync.Mutex
	open map[opened]target // where they are by now; guarded by mu
}

func newFiles() *files {
	return &files{gate: newGate(), watches: newWatches(), open: map[opened]target{}}
}

// Lock order: gate, handle.mu or directory.mu, files.mu.

func (f *files) add(o opened, at target) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open[o] = at
}

func (f *files) remove(o opened) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, o)
}

// where returns the name of o by now.
func (f *files) where(o opened) target {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open[o]
}

// at returns what is open under the names, or below one that is a directory.
func (f *files) at(names []target) (all []opened) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for o, at := range f.open {
		for _, name := range names {
			if _, ok := at.rest(name); ok {
				all = append(all, o)
				break
			}
		}
	}
	return all
}

// moved follows what is open to a new name.
func (f *files) moved(from, to target) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for o, at := range f.open {
		if rest, ok := at.rest(from); ok {
			f.open[o] = target{to.share, to.path + rest}
		}
	}
}

// attempt makes a call that the server refuses if somebody has one of the names open. use may be
// called twice.
func (f *files) attempt(ctx context.Context, c *conn, use func() error, names ...target) error {
	f.gate.pass()
	err := c.safely(use)
	f.gate.leave()
	if !refused(err) {
		return err
	}
	first := err
	return f.gate.shutFor(ctx, func() error {
		deadline := time.Now().Add(aloneTime)
		for _, o := range f.at(names) {
			if !o.aside(deadline) {
				return first
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return c.safely(use)
	})
}

// call makes a call that has a file of the share open for a moment, and returns when that is over
// or ctx ends; then late gets what it yields in the end.
func call[T any](ctx context.Context, f *files, c *conn, share string, use func(s *smb2.Share) (T, error), late func(T)) (T, error) {
	return conns.Await(ctx, c, func() (v T, err error) {
		s, err := c.share(share)
		if err != nil {
			return v, err
		}
		f.gate.pass()
		defer f.gate.leave()
		err = c.safely(func() (err error) {
			v, err = use(s)
			return err
		})
		return v, err
	}, late)
}

// change makes a change of the names, which are in one share, as conns.Commit does.
func (f *files) change(ctx context.Context, c *conn, use func(s *smb2.Share) error, names ...target) error {
	return conns.Commit(ctx, c, unanswered, func(ctx context.Context) error {
		s, err := c.share(names[0].share)
		if err != nil {
			return err
		}
		defer f.watches.change(names)()
		return f.attempt(ctx, c, func() error { return use(s) }, names...)
	})
}
