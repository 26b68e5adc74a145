package events

import (
	"context"
	"errors"
	"time"
)

// A Listener is told of events while what they are about goes on: the reply of a command is sent
// when all listeners have returned. So it does not wait for anything but the local disk. It may be
// called concurrently, and keeps nothing of e: it copies what it needs.
type Listener interface {
	// Record takes note of e. An error means that it could not; the listener has logged it. Who
	// records decides what follows: a file that the remote has is recorded again later.
	Record(ctx context.Context, e *Event) error
}

// A Preparer is a Listener that must not miss a fact, even if the process is killed right after it
// became true.
type Preparer interface {
	// Prepare is called with an Event before it becomes true. Record with the same ID follows when
	// it has become true, Withdraw when it has not; neither when that cannot be known, as after a
	// kill. An error forbids it. Of an UploadStored whose remote could not say it, one of them
	// follows minutes later.
	Prepare(ctx context.Context, e *Event) error
	// Withdraw says that the prepared event of this ID has not become true.
	Withdraw(ctx context.Context, id string)
}

// A Subscription is a Listener and what it listens to.
type Subscription struct {
	Kinds Set
	Listener
	Nameless bool // it has no use for the ID of an event
}

// A Stream brings events to its listeners. A nil Stream is one without any. It may be used
// concurrently.
type Stream struct {
	listeners []Subscription
	wanted    Set
	named     Set // whose ID is of use to somebody
	prepared  Set // by some Preparer
}

// New returns a Stream to listeners, which are called in this order.
func New(listeners ...Subscription) *Stream {
	s := &Stream{listeners: listeners}
	for _, l := range listeners {
		s.wanted |= l.Kinds
		if !l.Nameless {
			s.named |= l.Kinds
		}
		if _, prepares := l.Listener.(Preparer); prepares {
			s.prepared |= l.Kinds
		}
	}
	return s
}

// Wants reports whether anybody listens to k. Who records something often asks first, to save the
// work of describing it.
func (s *Stream) Wants(k Kind) bool { return s != nil && s.wanted.Has(k) }

// Prepares reports whether anybody must be told of k before it becomes true.
func (s *Stream) Prepares(k Kind) bool { return s != nil && s.prepared.Has(k) }

// Record brings e, which has become true, to those who listen to its Kind. It sets Time and, unless
// nobody has a use for it, ID if they are zero. All listeners are told; the errors of those that
// could not take note are joined.
func (s *Stream) Record(ctx context.Context, e *Event) error {
	if !s.Wants(e.Kind) {
		return nil
	}
	s.complete(e)
	var all error
	for i := range s.listeners {
		l := &s.listeners[i]
		if !l.Kinds.Has(e.Kind) {
			continue
		}
		if err := l.Record(ctx, e); err != nil {
			all = joined(all, err)
		}
	}
	return all
}

// joined is errors.Join. What that needs would else be stack of every session.
//
//go:noinline
func joined(a, b error) error { return errors.Join(a, b) }

// Prepare tells of e before it becomes true. It sets ID and Time if they are zero. After an error e
// must not become true, and nothing else is to be called for it.
func (s *Stream) Prepare(ctx context.Context, e *Event) error {
	if !s.Prepares(e.Kind) {
		return nil
	}
	s.complete(e)
	for i, l := range s.listeners {
		p, prepares := l.Listener.(Preparer)
		if !prepares || !l.Kinds.Has(e.Kind) {
			continue
		}
		if err := p.Prepare(ctx, e); err != nil {
			s.withdraw(ctx, e, s.listeners[:i])
			return err
		}
	}
	return nil
}

// Withdraw says that e, which was prepared, has not become true.
func (s *Stream) Withdraw(ctx context.Context, e *Event) {
	if s.Prepares(e.Kind) {
		s.withdraw(ctx, e, s.listeners)
	}
}

func (s *Stream) withdraw(ctx context.Context, e *Event, from []Subscription) {
	for _, l := range from {
		if p, prepares := l.Listener.(Preparer); prepares && l.Kinds.Has(e.Kind) {
			p.Withdraw(ctx, e.ID)
		}
	}
}

func (s *Stream) complete(e *Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	if e.ID == "" && s.named.Has(e.Kind) {
		e.ID = NewID(e.Time)
	}
}
