package feed

import (
	"context"
	"iter"
	"sync"
	"time"

	"ferry/remote"
)

// A Set is the feeds of a process. All methods may be called on nil, which is none.
type Set struct{ feeds []*Feed }

// NewSet returns a Set of feeds.
func NewSet(feeds ...*Feed) *Set { return &Set{feeds} }

// Only returns a Set of the feeds whose kinds are wanted.
func (s *Set) Only(wanted func(kind string) bool) *Set {
	some := &Set{}
	if s == nil {
		return some
	}
	for _, f := range s.feeds {
		if wanted(f.opt.Kind) {
			some.feeds = append(some.feeds, f)
		}
	}
	return some
}

// Run listens to all feeds until ctx ends.
func (s *Set) Run(ctx context.Context) {
	if s == nil {
		return
	}
	var wg sync.WaitGroup
	for _, f := range s.feeds {
		wg.Go(func() { f.Run(ctx) })
	}
	wg.Wait()
}

// Status returns what has come of each feed.
func (s *Set) Status() []Status {
	if s == nil {
		return nil
	}
	var all []Status
	for _, f := range s.feeds {
		all = append(all, f.Status())
	}
	return all
}

// Around returns r with a Watch that tells what the feeds tell, instead of one that r may have
// itself. A remote that is no remote.ObjectNamer, or shows no bucket of a feed, is returned as it
// is.
func (s *Set) Around(r remote.Remote) remote.Remote {
	namer, ok := r.(remote.ObjectNamer)
	if !ok || s == nil {
		return r
	}
	var concerned []*Feed
	for _, f := range s.feeds {
		if f.concerns(namer) {
			concerned = append(concerned, f)
		}
	}
	if len(concerned) == 0 {
		return r
	}
	return &watched{remote.Forward{Remote: r}, namer, concerned}
}

// watched is a remote that feeds tell of.
type watched struct {
	remote.Forward
	namer remote.ObjectNamer
	feeds []*Feed
}

// IsTold implements remote.Told.
func (w *watched) IsTold() bool { return true }

// Watch implements remote.Watcher. It begins when a feed does.
func (w *watched) Watch(ctx context.Context, _ time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		own := newWatching(w.namer)
		for _, f := range w.feeds {
			f.add(own)
			defer f.remove(own)
		}
		for {
			changes, err := own.next(ctx)
			if err != nil {
				yield(remote.Change{}, remote.Renamed("watch", ".", err))
				return
			}
			for _, c := range changes {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}
