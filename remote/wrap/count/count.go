// Package count is a decorator that counts what a remote is asked to do and what passes through it.
package count

import (
	"errors"
	"io"
	"maps"
	"sync"
	"time"

	"ferry/remote"
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
	remote.Forward

	mu    sync.Mutex
	stats Stats // guarded by mu
}

// New returns a decorator of r.
func New(r remote.Remote) *Remote {
	return &Remote{Forward: remote.Forward{Remote: r}, stats: Stats{Methods: map[string]Method{}}}
}

// Stats returns the numbers of this moment, which fit together.
func (r *Remote) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Methods = maps.Clone(s.Methods)
	return s
}

// A call is one that is under way.
type call struct {
	r      *Remote
	method string
	begun  time.Time
	failed bool // guarded by r.mu; its error is counted
}

func (r *Remote) begin(method string) *call {
	c := &call{r: r, method: method, begun: time.Now()}
	c.add(func(m *Method) { m.Calls++; m.Running++ })
	return c
}

// add changes the numbers of the method.
func (c *call) add(change func(m *Method)) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	m := c.r.stats.Methods[c.method]
	change(&m)
	c.r.stats.Methods[c.method] = m
}

// sent counts bytes to the remote.
func (c *call) sent(n int64, err error) {
	c.add(func(m *Method) {
		m.Up += n
		c.r.stats.Up += n
		c.fail(m, err)
	})
}

// received counts bytes from the remote.
func (c *call) received(n int64, err error) {
	c.add(func(m *Method) {
		m.Down += n
		c.r.stats.Down += n
		c.fail(m, err)
	})
}

// end ends the call.
func (c *call) end(err error) {
	c.add(func(m *Method) {
		m.Running--
		m.Time += time.Since(c.begun)
		c.fail(m, err)
	})
}

// LOCKS_REQUIRED(c.r.mu)
func (c *call) fail(m *Method, err error) {
	switch {
	case err == nil, err == io.EOF, c.failed:
		return
	case errors.Is(err, remote.ErrNotExist):
		m.Missing++
	default:
		m.Errors++
	}
	c.failed = true
}
