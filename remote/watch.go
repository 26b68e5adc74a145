package remote

import (
	"context"
	"iter"
	"time"
)

// A Watcher tells what changes on the far side, whoever changes it.
type Watcher interface {
	// Watch yields what changes, until ctx ends, as soon as the remote learns of it. A remote that
	// has to ask does so every interval; one that is told does not need it.
	//
	// The first change is Everything: it says that the watch has begun, and what was known before
	// may be wrong. From then on every change is yielded once it has happened, late ones and some
	// that change nothing among them; those made through the remote itself too. Where changes were
	// missed, there is one of everything again.
	//
	// It ends with an error: that of ctx, ErrUnsupported where the far side tells nothing, or any
	// other when nothing more will be heard. Then the caller may watch again.
	Watch(ctx context.Context, interval time.Duration) iter.Seq2[Change, error]
}

// A Change says that something may have changed.
type Change struct {
	Name  string // of a file or a directory that is there now, has changed, or is gone
	Dir   bool   // it is a directory, as far as the far side knew
	Below bool   // everything below it may have changed too
	// Removed reports that there is nothing of that name any more, as far as the far side knew when
	// it said so.
	Removed bool
	// Version is that of the file which is there now, as in Entry; "" when unknown.
	Version string
}

// Everything is the change of which nothing is known.
func Everything() Change { return Change{Name: ".", Dir: true, Below: true} }

// AsWatcher returns r as a Watcher, if its driver is one. It may still turn out that the far side
// tells nothing.
func AsWatcher(r Remote) (Watcher, bool) { return ability[Watcher](r) }
