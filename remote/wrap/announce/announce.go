// Package announce has nodes that serve one remote tell each other what they change, where the
// remote itself does not.
//
// New puts a decorator around a remote, whose changes are told by an Exchange, one for a process,
// after they were made or when they may have been; and whose Watch yields what other nodes tell,
// besides what the remote below reports. A change is told of by the place of the remote and its
// name there, so that a node which serves a directory of another one understands it.
//
// The files, in which calls lead only to files below:
//
//	announce          the decorator
//	watch             what it tells of others' changes
//	exchange          what is open for a process
//	publish receive   what goes out, and what comes in
//	peers listener    who tells, and who waits for changes
//	message           how changes are written
package announce

import (
	"context"
	"sync/atomic"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// Remote is a remote whose changes are told.
type Remote struct {
	*intercept.Remote
	x     *Exchange
	place string
}

// New returns a decorator of r. Without an Exchange it does nothing.
func New(r remote.Remote, x *Exchange) *Remote {
	a := &Remote{x: x, place: r.Info().Identity()}
	a.Remote = intercept.New(r, a.call)
	return a
}

// call makes a call, and tells what it has changed, or may have.
func (r *Remote) call(ctx context.Context, c *intercept.Call) error {
	if r.x == nil || !changes(c.Op) {
		return c.Do(ctx)
	}
	var doubt atomic.Bool
	err := c.Do(remote.WithUnanswered(ctx, func() {
		doubt.Store(true)
		remote.Unanswered(ctx)
	}))
	if err != nil && remote.Permanent(err) && ctx.Err() == nil && !doubt.Load() {
		return err // the remote has refused it
	}
	r.x.tell(r, changesOf(c, err == nil)...)
	return err
}

// changes reports whether calls of a kind change what others see.
func changes(op intercept.Op) bool {
	switch op {
	case intercept.Put, intercept.Remove, intercept.Mkdir, intercept.Rmdir, intercept.Move, intercept.Copy,
		intercept.SetModTime, intercept.SetMode, intercept.Commit, intercept.Keep, intercept.Abort, intercept.DropPart:
		return true
	}
	return false
}

// changesOf returns what a call has changed; its results count if it was done.
func changesOf(c *intercept.Call, done bool) []remote.Change {
	one := remote.Change{Name: c.Name}
	switch c.Op {
	case intercept.Put, intercept.Commit:
		if done {
			one.Version = c.Entry.Version
		}
	case intercept.Remove:
		one.Removed = done
	case intercept.Mkdir:
		one.Dir = done
	case intercept.Rmdir:
		one.Dir, one.Removed, one.Below = done, done, true
	case intercept.Copy:
		one.Name = c.To
	case intercept.Move:
		return []remote.Change{{Name: c.Name, Removed: done, Below: true}, {Name: c.To, Below: true}}
	}
	return []remote.Change{one}
}
