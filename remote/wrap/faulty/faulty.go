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
	"fmt"
	"io/fs"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/wrap/intercept"
)

// An Op is a call that can go wrong.
type Op = intercept.Op

// The calls of a Remote and of its optional interfaces, and those on what Open and Stage return.
const (
	Stat          = intercept.Stat
	List          = intercept.List
	Open          = intercept.Open
	Read       Op = "read" // of a reader that Open returned
	Put           = intercept.Put
	Remove        = intercept.Remove // also of a version
	Mkdir         = intercept.Mkdir
	Rmdir         = intercept.Rmdir
	Move          = intercept.Move // the name that a fault goes by is the old one, as with Copy
	Copy          = intercept.Copy
	SetModTime    = intercept.SetModTime
	SetMode       = intercept.SetMode
	Hash          = intercept.Hash
	Usage         = intercept.Usage // by the name "."
	Stage         = intercept.Stage
	Write      Op = "write" // to a stage
	Commit        = intercept.Commit
	Keep          = intercept.Keep
	Abort         = intercept.Abort
	Part          = intercept.Part
	DropPart      = intercept.DropPart
)

// A Fault says which calls go wrong, and how. The zero value makes the next call of any kind fail
// with ErrInjected.
type Fault struct {
	Op    Op     // "" = any; Read and Write only when they are named
	Name  string // "" = any
	Skip  int    // how many of these calls go well first
	Times int    // how many then go wrong; 0 = one, below 0 = all

	// After is how much goes well within the call: bytes of Read, Write and the body of Put,
	// entries of List.
	After int64

	Delay time.Duration // the call takes this long before it does anything else
	Block bool          // it waits until its context ends; Keep, Abort, Read and Write, which have none, do not wait
	Late  bool          // it is carried out, and only its answer is lost
	Slow  bool          // it is carried out after Delay, and does not fail
	Err   error         // what it fails with; nil = ErrInjected

	// These are for changes alone: Put, Remove, Mkdir, Rmdir, Move, Copy, SetModTime, SetMode and
	// Commit. The change is sent at once, as a whole, and the call waits Delay for its answer, or
	// as long as remote.Committed lets it.
	Held    bool // it is carried out at once, and its answer arrives after Delay
	Lost    bool // it is never carried out
	Delayed bool // it is carried out when Until is over, or when Deliver is called, after what came meanwhile
	Until   time.Duration
}

// ErrInjected is what a call fails with when its fault does not say otherwise.
var ErrInjected = errors.New("injected fault")

// An Error is what an injected fault makes of its Err. Each is different.
type Error struct {
	Op   Op
	Name string
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%v (injected into %s %s)", e.Err, e.Op, e.Name) }

// Unwrap returns the error that the fault asked for.
func (e *Error) Unwrap() error { return e.Err }

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

// pick counts the call and returns the fault that it meets, nil when there is none.
func (r *Remote) pick(op Op, name string) *Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls[op]++
	for _, f := range r.faults {
		stream := op == Read || op == Write
		switch {
		case f.Op != op && (f.Op != "" || stream), f.Name != "" && f.Name != name, f.Times == 0:
		case f.Skip > 0:
			f.Skip--
		default:
			if f.Times > 0 {
				f.Times--
			}
			return f
		}
	}
	return r.roll(op, name)
}

// fault makes the error that a call fails with.
func (r *Remote) fault(f *Fault, op Op, name string) error {
	e := &Error{Op: op, Name: name, Err: f.Err}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.injected[e] = false
	r.order = append(r.order, e)
	return &fs.PathError{Op: string(op), Path: name, Err: e}
}
