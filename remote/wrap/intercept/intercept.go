// Package intercept is what decorators of calls are made of: one function of theirs is around every
// call of a remote, and the ends of its uploads. It sees what is asked for and what comes of it,
// and it may wait, refuse the call, make it more than once, or replace its body and its result.
//
// What does no I/O passes by: Info, CheckName, CheckTime. So do a watch, which lasts, and the
// unfinished uploads of a service.
package intercept

import (
	"context"
	"io"
	"io/fs"
	"sync"
	"time"

	"ferry/remote"
)

// An Op is a kind of call.
type Op string

// The calls of a Remote and of its optional interfaces, and those that end a Stage.
const (
	Stat        Op = "stat"
	List        Op = "list"
	Open        Op = "open"
	Put         Op = "put"    // with If, that of a ConditionalPutter
	Remove      Op = "remove" // with Version, that of a VersionRemover
	Mkdir       Op = "mkdir"
	Rmdir       Op = "rmdir"
	Move        Op = "move"
	Copy        Op = "copy"
	SetModTime  Op = "setmodtime"
	SetMode     Op = "setmode"
	Hash        Op = "hash"
	CheckTarget Op = "checktarget"
	Usage       Op = "usage"
	Stage       Op = "stage"
	Commit      Op = "publish" // of a stage, as Keep and Abort
	Keep        Op = "keep"
	Abort       Op = "discard"
	Part        Op = "part"
	DropPart    Op = "droppart"
)

// An Interceptor is around a call, and returns its error. c is only valid until it returns; a copy
// of it is a call of its own. A call that fails has no result: what it opened is closed.
type Interceptor func(ctx context.Context, c *Call) error

// A Call is one that a Remote was asked for. The fields up to the results may be changed before it
// is made, the results afterwards.
type Call struct {
	Op   Op
	Name string // "." for Usage

	To             string      // Move, Copy
	Version        string      // Remove; "" = whatever it is; Put, with If
	If             bool        // Put: that of a ConditionalPutter
	Algorithm      string      // Hash
	Owner          string      // Part, DropPart
	Offset, Length int64       // Open
	ModTime        time.Time   // SetModTime, Commit
	Mode           fs.FileMode // SetMode
	Put            remote.PutOptions
	Upload         remote.StageOptions // Stage
	Body           io.Reader           // Put
	// Yield is the consumer of List. It has its error from Yield, or else as that of the call.
	Yield func(remote.Entry, error) bool

	Entry  remote.Entry  // of Stat, Put, Commit, Part
	Digest []byte        // of Hash
	Usage  remote.Usage  // of Usage
	Reader io.ReadCloser // of Open
	// Stage is the result of Stage, and what Commit, Keep and Abort end. Those of its own methods
	// are called by these calls, once until it has ended, and directly afterwards.
	Stage remote.Stage
	// State is what the Interceptor of a Stage keeps there for those of its ends.
	State any

	do    func(ctx context.Context, c *Call) error
	below remote.Forward
	over  bool // the consumer of List wants no more, or has the error
}

// Do makes the call.
func (c *Call) Do(ctx context.Context) error { return c.do(ctx, c) }

// Remote is a remote with an Interceptor around its calls. Decorators embed it.
type Remote struct {
	remote.Forward
	around Interceptor
	calls  sync.Pool // of *Call
}

// New returns a decorator of r.
func New(r remote.Remote, around Interceptor) *Remote {
	return &Remote{Forward: remote.Forward{Remote: r}, around: around, calls: sync.Pool{New: func() any { return new(Call) }}}
}

// call returns a call, which is given back by free.
func (r *Remote) call(op Op, name string) *Call {
	c := r.calls.Get().(*Call)
	c.Op, c.Name, c.below = op, name, r.Forward
	return c
}

func (r *Remote) free(c *Call) {
	*c = Call{}
	r.calls.Put(c)
}

// run lets the Interceptor make a call that do makes.
func (r *Remote) run(ctx context.Context, c *Call, do func(ctx context.Context, c *Call) error) error {
	c.do = do
	err := r.around(ctx, c)
	if err == nil {
		return nil
	}
	if c.Reader != nil {
		_ = c.Reader.Close() // the call has failed already
	}
	if c.Op == Stage && c.Stage != nil {
		_ = c.Stage.Abort()
	}
	c.Entry, c.Digest, c.Usage, c.Reader = remote.Entry{}, nil, remote.Usage{}, nil
	return err
}
