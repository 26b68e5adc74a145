// Package count is a decorator that counts what a remote is asked to do and what passes through it.
package count

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// Stats are the numbers of a Remote since it was made.
type Stats struct {
	Up, Down int64 // bytes of file content to the remote, and from it
	// Methods are the numbers of each method by its name in lower case ("stat", "put"), as far as
	// it was called. What is read counts for "open", what is written to a stage for "stage";
	// "publish", "keep" and "discard" end stages.
	Methods map[string]Method
}

// Method are the numbers of one method. A call is under way until its reader is closed or its stage
// has ended.
type Method struct {
	Calls   int64 // begun
	Running int64 // of these still under way
	Missing int64 // of these answered with remote.ErrNotExist
	Errors  int64 // of these failed in another way; each call once, however often it says so

	Up, Down int64         // bytes; those of an *os.File that Open returned are not known
	Time     time.Duration // of the calls that are over
}

// Remote is a remote with numbers.
type Remote struct {
	*intercept.Remote

	mu    sync.Mutex
	stats Stats // guarded by mu
}

// New returns a decorator of r.
func New(r remote.Remote) *Remote {
	c := &Remote{stats: Stats{Methods: map[string]Method{}}}
	c.Remote = intercept.New(r, c.count)
	return c
}

// Stats returns the numbers of this moment, which fit together.
func (r *Remote) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Methods = maps.Clone(s.Methods)
	return s
}

// count is around every call. An *os.File is passed on as it is.
func (r *Remote) count(ctx context.Context, c *intercept.Call) error {
	switch c.Op {
	case intercept.CheckTarget:
		return c.Do(ctx)
	case intercept.Open, intercept.Put, intercept.Stage:
		return r.stream(ctx, c)
	}
	k := call{r: r, method: string(c.Op)}
	k.begin()
	var err error
	defer func() { k.end(err) }() // also when the consumer of a listing panics
	err = c.Do(ctx)
	if stage, ok := c.State.(*call); ok && (c.Op != intercept.Commit || err == nil) {
		stage.end(nil)
	}
	return err
}

// stream is around a call that moves bytes.
func (r *Remote) stream(ctx context.Context, c *intercept.Call) error {
	k := &call{r: r, method: string(c.Op)}
	k.begin()
	if c.Op == intercept.Put { // an error of the body is one of the Put
		c.Body = remote.TapBody(c.Body, func(n int64, _ error) { k.sent(n, nil) })
	}
	err := c.Do(ctx)
	_, local := c.Reader.(*os.File)
	switch {
	case err != nil, local, c.Op == intercept.Put:
		k.end(err)
	case c.Op == intercept.Open:
		c.Reader = remote.TapReader(c.Reader, k.received, k.end)
	default:
		c.Stage, c.State = remote.TapStage(c.Stage, k.sent), k
	}
	return err
}

// A call is one that is under way.
type call struct {
	r      *Remote
	method string
	begun  time.Time
	failed bool // guarded by r.mu; its error is counted
	over   bool // guarded by r.mu
}

// change changes the numbers of the method.
// LOCKS_REQUIRED(c.r.mu)
func (c *call) change(by Method, err error) {
	m := c.r.stats.Methods[c.method]
	m.Calls += by.Calls
	m.Running += by.Running
	m.Up += by.Up
	m.Down += by.Down
	m.Time += by.Time
	switch {
	case err == nil, err == io.EOF, c.failed:
	case errors.Is(err, remote.ErrNotExist):
		c.failed = true
		m.Missing++
	default:
		c.failed = true
		m.Errors++
	}
	c.r.stats.Methods[c.method] = m
	c.r.stats.Up += by.Up
	c.r.stats.Down += by.Down
}

func (c *call) add(by Method, err error) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	c.change(by, err)
}

func (c *call) begin() {
	c.begun = time.Now()
	c.add(Method{Calls: 1, Running: 1}, nil)
}

// sent counts bytes to the remote.
func (c *call) sent(n int64, err error) { c.add(Method{Up: n}, err) }

// received counts bytes from the remote.
func (c *call) received(n int64, err error) { c.add(Method{Down: n}, err) }

// end ends the call, once.
func (c *call) end(err error) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if !c.over {
		c.over = true
		c.change(Method{Running: -1, Time: time.Since(c.begun)}, err)
	}
}
