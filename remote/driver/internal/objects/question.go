package objects

import (
	"context"

	"ferry/remote"
)

// A Question is whether a directory is called k. It is on its way while its asker asks for the
// object of that name, so that both answers take the time of one.
type Question struct {
	dirs   *Dirs
	k      Key
	size   *remote.SizeOnly // nil unless the question waits for the size of the object
	cancel context.CancelFunc
	done   chan struct{} // nil unless the question is on its way
	names  []string      // what is in k; read after done
	err    error         // read after done
}

// Ask begins a question, unless k was seen to be no directory. The asker calls one of Hides and Is,
// and Drop in any case.
func (d *Dirs) Ask(ctx context.Context, k Key) *Question {
	q := &Question{dirs: d, k: k, cancel: func() {}}
	known := d.recall(k)
	if d.top(k) || known == noDir {
		return q
	}
	if size := remote.SizeOnlyOf(ctx); size != nil && known == unknown {
		q.size = size
		return q
	}
	q.done = make(chan struct{})
	asking, cancel := context.WithCancel(ctx)
	q.cancel = cancel
	go func() {
		defer close(q.done)
		q.names, q.err = d.inside(asking, k)
	}()
	return q
}

// Hides is Dirs.Hides for an object that has turned out to be there.
func (q *Question) Hides(ctx context.Context, o Object) (bool, error) {
	if q.size != nil && o.Size > 0 {
		q.size.Use()
		return false, nil
	}
	if o.Dir || q.done == nil {
		return q.dirs.Hides(ctx, q.k, o)
	}
	if <-q.done; q.err != nil {
		return false, q.err
	}
	return q.dirs.hidesWith(ctx, q.k, o, q.names), nil
}

// Is is Dirs.Is, after it has turned out that there is no such object.
func (q *Question) Is(ctx context.Context) (bool, error) {
	if q.done == nil {
		return q.dirs.Is(ctx, q.k)
	}
	if <-q.done; q.err != nil {
		return false, q.err
	}
	return q.dirs.isWith(ctx, q.k, q.names)
}

// Drop ends the question and waits until nothing of it is on its way.
func (q *Question) Drop() {
	q.cancel()
	if q.done != nil {
		<-q.done
	}
}

// insistKey is that of true in the values of a context under which a Store repeats what fails on
// the way.
type insistKey struct{}

// Insist returns a context for questions of a call that cannot be made again, as what it was given
// can be read only once.
func Insist(ctx context.Context) context.Context { return context.WithValue(ctx, insistKey{}, true) }

// Insists reports whether ctx is one of Insist.
func Insists(ctx context.Context) bool {
	insists, _ := ctx.Value(insistKey{}).(bool)
	return insists
}
