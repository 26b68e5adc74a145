package remote

import (
	"context"
	"iter"
	"time"
)

// A Watcher reports changes of the files of a remote, whoever makes them.
type Watcher interface {
	// Watch yields changes, until ctx ends, as soon as the remote learns of them. A remote that has
	// to poll does so every interval; one that is notified ignores interval.
	//
	// The first change is Everything: the watch has begun, and anything known before may be wrong.
	// From then on every change is yielded after it has happened, possibly late, and with some that
	// change nothing; changes made through the remote itself are included. If changes were missed,
	// Everything is yielded again.
	//
	// It ends with an error: that of ctx, ErrUnsupported if the server reports no changes, or any
	// other if the watch broke off. Then the caller may watch again.
	Watch(ctx context.Context, interval time.Duration) iter.Seq2[Change, error]
}

// A Change is a file or directory that may have changed.
type Change struct {
	Name  string // of a file or directory that appeared, changed or was removed
	Dir   bool   // it is a directory, as far as the server knew
	Below bool   // everything below it may have changed too
	// Removed reports that the name does not exist any more, as far as the server knew when it
	// reported the change.
	Removed bool
	// Version is that of the current file, as in Entry; "" when unknown.
	Version string
}

// Everything returns the Change that covers all names.
func Everything() Change { return Change{Name: ".", Dir: true, Below: true} }

// AsWatcher returns r as a Watcher, if its driver is one. Watch may still return ErrUnsupported.
func AsWatcher(r Remote) (Watcher, bool) { return ability[Watcher](r) }
