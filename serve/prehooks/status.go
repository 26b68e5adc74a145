package prehooks

import (
	"errors"
	"sync"

	"ferry/hooks/call"
)

// A Status is how a hook has answered since it was first asked. Its numbers only grow.
type Status struct {
	Name     string
	Target   string     // what is called, without secrets
	Answered uint64     // questions, whatever the answer was
	Open     Unanswered // what was done all the same
	Closed   Unanswered // what was refused for want of an answer
	LastFail string     // why the last question has no answer; "" = it has one, or there was none
}

// Unanswered counts questions without an answer.
type Unanswered struct {
	Late   uint64 // there was none within the time of the hook
	Failed uint64 // it could not be called, or what it said is no answer
}

// Sum is how many there are.
func (u Unanswered) Sum() uint64 { return u.Late + u.Failed }

// Status returns that of each hook that is asked, in their order. It may be called on nil.
func (h *Hooks) Status() []Status {
	if h == nil {
		return nil
	}
	var all []Status
	for _, k := range h.all.Load().list {
		s := k.tally.read()
		s.Name, s.Target = k.Name, k.caller.String()
		all = append(all, s)
	}
	return all
}

// tallyOf returns that of the hook of a name, or a new one. Hooks that are read again go on
// counting.
func (h *hooks) tallyOf(name string) *tally {
	for _, k := range h.list {
		if k.Name == name {
			return k.tally
		}
	}
	return &tally{}
}

// A tally counts the questions of a hook.
type tally struct {
	mu     sync.Mutex
	counts Status // guarded by mu
}

func (t *tally) read() Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

func (t *tally) answered() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Answered++
	t.counts.LastFail = ""
}

// unanswered counts a question that has no answer because of err; open tells whether that is yes.
func (t *tally) unanswered(err error, open bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.LastFail = err.Error()
	counted := &t.counts.Closed
	if open {
		counted = &t.counts.Open
	}
	if failed := (*call.Error)(nil); errors.As(err, &failed) && failed.Late {
		counted.Late++
		return
	}
	counted.Failed++
}
