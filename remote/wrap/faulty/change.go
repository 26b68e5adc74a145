package faulty

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"slices"
	"time"

	"ferry/remote"
)

// changes reports whether op is a change that can be in doubt.
func changes(op Op) bool {
	switch op {
	case Put, Remove, Mkdir, Rmdir, Move, Copy, SetModTime, SetMode, Commit:
		return true
	}
	return false
}

// sends reports whether the fault lets op be sent as a whole before anything goes wrong.
func (f *Fault) sends(op Op) bool { return changes(op) && (f.Held || f.Lost || f.Delayed) }

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

// change makes a call that takes effect as a whole, and that may do so later.
func (r *Remote) change(ctx context.Context, op Op, name string, inner func(ctx context.Context) error) error {
	f := r.pick(op, name)
	if f != nil && f.sends(op) {
		return r.send(ctx, f, op, name, func() error { return inner(ctx) }, inner)
	}
	if f != nil {
		if err := f.wait(ctx, op, name); err != nil {
			return err
		}
	}
	return r.answer(ctx, f, op, name, func() error { return inner(ctx) })
}

// send is a call whose change is sent as a whole: now carries it out for the caller, later for
// nobody.
func (r *Remote) send(ctx context.Context, f *Fault, op Op, name string, now func() error,
	later func(ctx context.Context) error) error {
	if ctx.Err() != nil {
		return &fs.PathError{Op: string(op), Path: name, Err: context.Cause(ctx)}
	}
	committed, release := remote.Committed(ctx)
	defer release()
	var answer error
	switch {
	case f.Held:
		answer = now()
	case f.Delayed:
		r.delay(f, later)
	}
	if err := f.wait(committed, op, name); err != nil { // remote.AnswerTime is over, too
		remote.Unanswered(ctx)
		return err
	}
	if f.Held {
		return answer
	}
	remote.Unanswered(ctx)
	return r.fault(f, op, name)
}

// sendPut is a Put whose body is sent as a whole.
func (r *Remote) sendPut(ctx context.Context, f *Fault, name string, body io.Reader, o remote.PutOptions) (
	e remote.Entry, err error) {
	var content bytes.Buffer
	n, err := io.Copy(&content, remote.ContextReader(ctx, body))
	if err == nil {
		err = remote.CheckSize(n, o.Size)
	}
	if err != nil {
		return remote.Entry{}, &fs.PathError{Op: string(Put), Path: name, Err: err}
	}
	err = r.send(ctx, f, Put, name, func() (err error) {
		e, err = r.Forward.Put(ctx, name, bytes.NewReader(content.Bytes()), o)
		return err
	}, func(ctx context.Context) error {
		_, err := r.Forward.Put(ctx, name, bytes.NewReader(content.Bytes()), o)
		return err
	})
	return valid(e, err), err
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

// sendPublish is a Commit that is sent at once. Where the content is known, it arrives as a Put
// does, also after the stage was published once more; elsewhere the stage itself is published when
// it arrives, if it was not before.
func (s *stage) sendPublish(ctx context.Context, f *Fault, modTime time.Time) (e remote.Entry, err error) {
	later := func(ctx context.Context) error {
		_, err := s.inner.Commit(ctx, modTime)
		return err
	}
	if s.content != nil {
		content := bytes.Clone(s.content.Bytes())
		later = func(ctx context.Context) error {
			_, err := s.r.Forward.Put(ctx, s.name, bytes.NewReader(content), remote.PutOptions{ModTime: modTime})
			return err
		}
	}
	s.sent = s.sent || f.Delayed && s.content == nil
	err = s.r.send(ctx, f, Commit, s.name, func() (err error) {
		e, err = s.inner.Commit(ctx, modTime)
		return err
	}, later)
	return valid(e, err), err
}
