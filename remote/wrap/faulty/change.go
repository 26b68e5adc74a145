package faulty

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"slices"
	"time"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// A delivery is a change that was sent, not answered, and has not arrived.
type delivery struct {
	change  func(ctx context.Context) error
	timer   *time.Timer // nil = it arrives when Deliver is called
	arrived bool        // guarded by Remote.mu
}

// Deliver carries out the changes that are under way, in the order in which they were sent,
// whatever Until says, and returns how many these were. What they would have been answered is lost.
func (r *Remote) Deliver() int {
	r.mu.Lock()
	all := slices.Clone(r.underway)
	r.mu.Unlock()
	n := 0
	for _, d := range all {
		if d.timer != nil {
			d.timer.Stop()
		}
		if r.arrive(d) {
			n++
		}
	}
	return n
}

// Underway returns how many changes were sent, not answered, and have not been carried out.
func (r *Remote) Underway() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.underway)
}

// delay lets change arrive as f says. It is carried out under a context of its own: the caller's
// has no power over it.
func (r *Remote) delay(f *Fault, change func(ctx context.Context) error) {
	d := &delivery{change: change}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.underway = append(r.underway, d)
	if f.Until > 0 {
		d.timer = time.AfterFunc(f.Until, func() { r.arrive(d) })
	}
}

// arrive carries d out, unless that was done, and reports whether it did.
func (r *Remote) arrive(d *delivery) bool {
	r.mu.Lock()
	if d.arrived {
		r.mu.Unlock()
		return false
	}
	d.arrived = true
	r.mu.Unlock()
	_ = d.change(context.Background()) // nobody waits for the answer
	r.mu.Lock()
	defer r.mu.Unlock()
	r.underway = slices.DeleteFunc(r.underway, func(other *delivery) bool { return other == d })
	return true
}

// sendCall is a call whose change is sent as a whole: now for the caller, or later for nobody.
func (r *Remote) sendCall(ctx context.Context, f *Fault, c *intercept.Call) error {
	if c.Op == Put {
		content, err := readBody(ctx, c)
		if err != nil {
			return err
		}
		c.Body = content
	}
	later := *c // c is only valid until the call is over
	if c.Op == Commit {
		return r.send(ctx, f, c, c.State.(*stage).later(&later, f.Delayed))
	}
	return r.send(ctx, f, c, later.Do)
}

// send carries c out, later, or never, as f says.
func (r *Remote) send(ctx context.Context, f *Fault, c *intercept.Call, later func(ctx context.Context) error) error {
	if ctx.Err() != nil {
		return &fs.PathError{Op: string(c.Op), Path: c.Name, Err: context.Cause(ctx)}
	}
	committed, release := remote.Committed(ctx)
	defer release()
	var answer error
	switch {
	case f.Held:
		answer = c.Do(ctx)
	case f.Delayed:
		r.delay(f, later)
	}
	if err := f.wait(committed, c.Op, c.Name); err != nil { // remote.AnswerTime is over, too
		remote.Unanswered(ctx)
		return err
	}
	if f.Held {
		return answer
	}
	remote.Unanswered(ctx)
	return r.fault(f, c.Op, c.Name)
}

// readBody reads the body of a Put as a whole.
func readBody(ctx context.Context, c *intercept.Call) (io.Reader, error) {
	var content bytes.Buffer
	n, err := io.Copy(&content, remote.ContextReader(ctx, c.Body))
	if err == nil {
		err = remote.CheckSize(n, c.Put.Size)
	}
	if err != nil {
		return nil, &fs.PathError{Op: string(Put), Path: c.Name, Err: err}
	}
	return bytes.NewReader(content.Bytes()), nil
}

// A capture is the content of a stage, as far as it was written.
type capture struct{ bytes.Buffer }

func (c *capture) add(p []byte) {
	if c != nil {
		c.Write(p)
	}
}

// captured returns what a stage begins with, when its content may have to be published later. nil =
// it need not, or it cannot be known: what a part holds cannot be read.
func (r *Remote) captured(ctx context.Context, name string, o remote.StageOptions) *capture {
	if !r.delays(Commit) || o.Base == remote.BasePart {
		return nil
	}
	c := &capture{}
	if o.Base == remote.BaseEmpty || o.Off == 0 {
		return c
	}
	base, err := r.Forward.Open(ctx, name, 0, -1)
	if err != nil {
		return nil
	}
	defer base.Close()
	if _, err := c.ReadFrom(base); err != nil {
		return nil
	}
	if o.Off != remote.AtEnd {
		c.Truncate(int(o.Off))
	}
	return c
}

// delays reports whether a call of op may be carried out later.
func (r *Remote) delays(op Op) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.odds != nil && r.odds.Delayed > 0 {
		return true
	}
	return slices.ContainsFunc(r.faults, func(f *Fault) bool { return f.Delayed && (f.Op == op || f.Op == "") })
}

// later returns how a Commit arrives that is sent at once. Where the content is known, it arrives
// as a Put does, also after the stage was published once more; elsewhere the stage itself is
// published when it arrives, if it was not before.
func (s *stage) later(c *intercept.Call, delayed bool) func(ctx context.Context) error {
	if s.content == nil {
		s.sent = s.sent || delayed
		return c.Do
	}
	content := bytes.Clone(s.content.Bytes())
	return func(ctx context.Context) error {
		_, err := s.r.Forward.Put(ctx, c.Name, bytes.NewReader(content), remote.PutOptions{ModTime: c.ModTime})
		return err
	}
}
