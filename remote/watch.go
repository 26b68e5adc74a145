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

// A Told is a decorator that reports changes which others tell it of, whatever the remote below it
// can do. Such a one is a Watcher.
type Told interface {
	// IsTold reports whether there is anybody who tells it of changes.
	IsTold() bool
}

// AsWatcher returns r as a Watcher, if its driver is one, or if one of its decorators IsTold of
// changes. Watch may still return ErrUnsupported.
func AsWatcher(r Remote) (Watcher, bool) {
	if IsTold(r) {
		w, ok := r.(Watcher)
		return w, ok
	}
	return ability[Watcher](r)
}

// IsTold reports whether a decorator of r is told of changes: then a watch costs nothing, and what
// is remembered of r is dropped as soon as it changes.
func IsTold(r Remote) bool {
	for ; r != nil; r = below(r) {
		if t, ok := r.(Told); ok && t.IsTold() {
			return true
		}
	}
	return false
}

// An ObjectNamer is a remote whose files are objects of a store that tells of them by bucket and
// key.
type ObjectNamer interface {
	// ObjectName returns which name an object has here. A key of "" stands for the bucket itself,
	// which is the root, or one of its directories. ok is false where no name leads to the object:
	// it is in another bucket, or outside of the root, or its key is no path.
	ObjectName(bucket, key string) (name string, ok bool)
}
