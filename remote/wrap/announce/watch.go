package announce

import (
	"context"
	"errors"
	"iter"
	"time"

	"ferry/remote"
)

// beginTime is how long a watch waits until what others tell is heard. It begins anew then.
const beginTime = time.Second

// IsTold implements remote.Told.
func (r *Remote) IsTold() bool { return r.x != nil }

// Watch implements remote.Watcher. It yields what other nodes tell, and other trees of this process
// on the same place, and what the remote below reports. What is changed through the remote itself
// is reported where that one does.
func (r *Remote) Watch(ctx context.Context, interval time.Duration) iter.Seq2[remote.Change, error] {
	if r.x == nil {
		return r.Forward.Watch(ctx, interval)
	}
	return func(yield func(remote.Change, error) bool) {
		l := newListener(r)
		l.add(remote.Everything())
		r.x.join(l)
		defer r.x.leave(l)
		r.x.heard(ctx, beginTime)
		ctx, cancel := context.WithCancelCause(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := r.watchBelow(ctx, interval, l); err != nil {
				cancel(err)
			}
		}()
		defer func() {
			cancel(nil)
			<-ended
		}()
		for {
			told, err := l.next(ctx)
			if err != nil {
				yield(remote.Change{}, remote.Renamed("watch", ".", err))
				return
			}
			for _, c := range told {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

// watchBelow adds what the remote below reports, until ctx ends. That it reports nothing is no
// error.
func (r *Remote) watchBelow(ctx context.Context, interval time.Duration, l *listener) error {
	w, ok := remote.AsWatcher(r.Forward.Remote)
	if !ok {
		return nil
	}
	for c, err := range w.Watch(ctx, interval) {
		if errors.Is(err, remote.ErrUnsupported) || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		l.add(c)
	}
	return nil
}
