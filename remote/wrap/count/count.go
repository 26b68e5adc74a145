// Package count is a decorator that counts what a remote is asked to do and what passes through it.
package count

import (
	"cmp"
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
	Took     Durations     // how long each of these took
}

// An Observer is told of what is counted. Its methods may be called concurrently.
type Observer interface {
	// Called is told of a call when it is over: "ok", "notfound" (remote.ErrNotExist), "error" (an
	// answer, see remote.Permanent), or "retry" if it failed on the way.
	Called(method, result string, took time.Duration)
	// Moved is told of bytes of file content to the remote and from it, as soon as they have moved.
	Moved(up, down int64)
}

// Remote is a remote with numbers.
type Remote struct {
	*intercept.Remote
	observer Observer // nil = nobody

	mu    sync.Mutex
	stats Stats // guarded by mu
}

// New returns a decorator of r.
func New(r remote.Remote) *Remote { return Observed(r, nil) }

// Observed is New with an Observer, which may be nil.
func Observed(r remote.Remote, o Observer) *Remote {
	c := &Remote{observer: o, stats: Stats{Methods: map[string]Method{}}}
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
	result string // guarded by r.mu; of its error, which is counted; "" = none
	over   bool   // guarded by r.mu
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
	if by.Running < 0 {
		m.Took.add(by.Time)
	}
	switch {
	case err == nil, err == io.EOF, c.result != "":
	case errors.Is(err, remote.ErrNotExist):
		c.result = "notfound"
		m.Missing++
	default:
		c.result = "retry"
		if remote.Permanent(err) {
			c.result = "error"
		}
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
func (c *call) sent(n int64, err error) { c.moved(Method{Up: n}, err) }

// received counts bytes from the remote.
func (c *call) received(n int64, err error) { c.moved(Method{Down: n}, err) }

func (c *call) moved(by Method, err error) {
	c.add(by, err)
	if c.r.observer != nil {
		c.r.observer.Moved(by.Up, by.Down)
	}
}

// end ends the call, once.
func (c *call) end(err error) {
	took := time.Since(c.begun)
	if result, first := c.finish(took, err); first && c.r.observer != nil {
		c.r.observer.Called(c.method, result, took)
	}
}

// finish counts the end of the call. It returns its result, and whether it had not ended before.
func (c *call) finish(took time.Duration, err error) (result string, first bool) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if c.over {
		return "", false
	}
	c.over = true
	c.change(Method{Running: -1, Time: took}, err)
	return cmp.Or(c.result, "ok"), true
}
