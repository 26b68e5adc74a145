// Package faulty is a decorator for tests: a remote on which chosen calls go wrong. They fail,
// wait, break off after some bytes, lose their answers, or are carried out later, as a Fault says,
// or as a seed does (Odds). A change that was sent and not answered is reported by
// remote.Unanswered. The remote counts what it injected and is told what surfaced, so that a test
// can prove that no error was swallowed:
//
//	r := faulty.New(memory.New())
//	r.Inject(faulty.Fault{Op: faulty.Put, Skip: 1, Err: remote.ErrNoSpace})
//	r.Surfaced(upload()) // for each error that came out on top
//	for _, err := range r.Swallowed() {
//		t.Errorf("%v did not surface", err)
//	}
package faulty

import (
	"errors"
	"sync"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// Remote is a remote with faults. Without any, it does what the remote below it does.
type Remote struct {
	*intercept.Remote

	mu       sync.Mutex
	faults   []*Fault        // guarded by mu
	calls    map[Op]int      // guarded by mu
	injected map[*Error]bool // guarded by mu; true = it surfaced
	order    []*Error        // guarded by mu; the keys of injected as they came
	odds     *Odds           // guarded by mu; nil = none
	drawn    map[draw]int    // guarded by mu; how often odds were asked about a call
	underway []*delivery     // guarded by mu; changes that were sent and have not arrived, as they were sent
}

// New returns a decorator of r without faults.
func New(r remote.Remote) *Remote {
	f := &Remote{calls: map[Op]int{}, injected: map[*Error]bool{}, drawn: map[draw]int{}}
	f.Remote = intercept.New(r, f.call)
	return f
}

// Inject adds a fault. Of several that fit a call, the one added first is used, as long as it
// lasts.
func (r *Remote) Inject(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	if f.Err == nil {
		f.Err = ErrInjected
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, &f)
}

// Heal removes all faults and odds. What is under way arrives as it would have.
func (r *Remote) Heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults, r.odds = nil, nil
}

// Calls returns how many calls of op there were, whether they went well or not. Each Open and Stage
// counts as one Read and one Write too.
func (r *Remote) Calls(op Op) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[op]
}

// Injected returns how many errors were injected. Waiting for a context to end is not counted.
func (r *Remote) Injected() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.order)
}

// Surfaced reports whether err comes from injected faults, and remembers that they surfaced.
func (r *Remote) Surfaced(err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := false
	for _, e := range r.order {
		if errors.Is(err, e) {
			r.injected[e] = true
			found = true
		}
	}
	return found
}

// Swallowed returns the injected errors that have not surfaced.
func (r *Remote) Swallowed() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, e := range r.order {
		if !r.injected[e] {
			errs = append(errs, e)
		}
	}
	return errs
}
