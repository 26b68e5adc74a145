// Package elsewhere has nodes tell each other which files they have accepted and not yet sent to
// the remote, so that listings through other nodes show them.
//
// What waits is written by its node into values of at most 64 KiB, each of which has many files,
// and is read by all. Nobody waits for that, and no change of a remote is decided by it: a file
// that is told of where it does not wait any more is shown a little longer, one that is not told of
// is shown when it is on the remote.
//
// A file is told of when it has waited for Age; one that is sent before costs no message. What a
// node has told of is shown until it says otherwise, and for Life after it was last heard of: its
// disk may come back with the files. When a file vanishes from what is told, each tree first asks
// the remote for it anew, so that a listing has it from the one or from the other.
//
// The files, in which calls lead only to files below:
//
//	elsewhere   Files: all of a process
//	tree        Tree: of one remote
//	tell        what goes out
//	hear        what comes in
//	show        what is shown in a tree
//	index       names of what waits elsewhere
//	pieces      which files are in which value
//	value       what is written for others
package elsewhere

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"ferry/cluster"
)

const (
	// Bucket is where the values are.
	Bucket = "waiting"
	// Age is how long a file has waited when it is told of.
	Age = 500 * time.Millisecond
	// Life is how long a node that is not heard of is believed.
	Life = time.Hour

	renewal = 15 * time.Minute // between two times that a value is written which does not change
)

// Options say who tells by what. Engine and Node are required.
type Options struct {
	Engine cluster.Engine
	Node   string       // what this node is called, as no other
	Log    *slog.Logger // nil = none
}

// Files are the files that wait at all nodes. Run keeps them up. The methods may be called
// concurrently, and do not wait for the engine.
type Files struct {
	o   Options
	run int64 // when it began, in ms: the later one of two processes of a node is right

	telling teller
	hearing hearer
}

// New returns Files of nothing yet.
func New(o Options) *Files {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := &Files{o: o, run: time.Now().UnixMilli()}
	f.telling.init(f)
	f.hearing.init(f)
	return f
}

// Run tells what waits here, and hears what waits elsewhere, until ctx ends; then it tells what has
// changed meanwhile, if that is soon done.
func (f *Files) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = cluster.Values(ctx, f.o.Engine, Bucket, f.hear) }) // it returns when ctx has ended
	wg.Go(func() { f.hearing.mind(ctx) })
	f.tell(ctx)
	return context.Cause(ctx)
}

// hear takes in what some node has told.
func (f *Files) hear(v cluster.Value) {
	h := &f.hearing
	if v.Key == "" {
		h.heardAll()
		f.telling.heardAll()
		return
	}
	said, ok := decode(v.Data)
	switch {
	case ok && said.Node == f.o.Node:
		f.telling.heard(v.Key, said, true)
	case ok:
		h.note(v.Key, &heard{value: said, at: time.Now()})
	default: // nothing is there any more, or nothing that is understood
		f.telling.heard(v.Key, said, false)
		h.note(v.Key, nil)
	}
}

// Status is what there is to say of Files.
type Status struct {
	Elsewhere int // files that wait at other nodes
	Told      int // files here that others are told of
	Untold    int // files here and elsewhere that are too many to be told of, or to be remembered
}

// Status returns what there is to say now.
func (f *Files) Status() Status {
	var s Status
	s.Told, s.Untold = f.telling.count()
	theirs, left := f.hearing.count()
	s.Elsewhere = theirs
	s.Untold += left
	return s
}
