package faulty

import (
	"context"
	"errors"
	"ferry/remote"
	"fmt"
	"io/fs"
	"time"
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

// sends reports whether the fault lets op be sent as a whole before anything goes wrong.
func (f *Fault) sends(op Op) bool { return changes(op) && (f.Held || f.Lost || f.Delayed) }

// An Error is what an injected fault makes of its Err. Each is different.
type Error struct {
	Op   Op
	Name string
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%v (injected into %s %s)", e.Err, e.Op, e.Name) }

// Unwrap returns the error that the fault asked for.
func (e *Error) Unwrap() error { return e.Err }

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

// wait is the time that a faulty call takes, cut short by its context.
func (f *Fault) wait(ctx context.Context, op Op, name string) error {
	if f.Delay > 0 {
		if err := remote.Sleep(ctx, f.Delay); err != nil {
			return &fs.PathError{Op: string(op), Path: name, Err: err}
		}
	}
	if f.Block {
		<-ctx.Done()
		return &fs.PathError{Op: string(op), Path: name, Err: context.Cause(ctx)}
	}
	return nil
}
