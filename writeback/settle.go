package writeback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"ferry/events"
	"ferry/remote"
)

// Uploads whose publication is in doubt are settled when the doubt is over, or before the name is
// changed in another way: the remote is asked whether it has the file.

const (
	// maxUnsettled is how many publications in doubt are remembered. Of more than that the oldest
	// stay as they were prepared.
	maxUnsettled = 1000
	// settleAgain is how long after a remote that did not answer it is asked again.
	settleAgain = time.Minute
)

// unsettled are the publications in doubt.
type unsettled struct {
	mu   sync.Mutex
	open []unsettledUpload // guarded by mu; the oldest first
	wake chan struct{}     // holds a token when open has grown
}

// An unsettledUpload is one of them. Its due is zero if Stored was asked, and will be asked again:
// then it is only settled before its name is changed.
type unsettledUpload struct {
	told *events.Event
	due  time.Time
}

func (o unsettledUpload) isDue(now time.Time) bool { return !o.due.IsZero() && !o.due.After(now) }

// add remembers told, whose doubt begins now.
func (u *unsettled) add(told *events.Event) {
	u.put(unsettledUpload{told, time.Now().Add(doubtWindow)})
}

func (u *unsettled) put(one unsettledUpload) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.open = append(u.open, one)
	if len(u.open) > maxUnsettled {
		u.open = slices.Delete(u.open, 0, 1)
	}
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// take removes those that which selects, and returns them.
func (u *unsettled) take(which func(unsettledUpload) bool) (taken []unsettledUpload) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.open = slices.DeleteFunc(u.open, func(one unsettledUpload) bool {
		if !which(one) {
			return false
		}
		taken = append(taken, one)
		return true
	})
	return taken
}

// next returns when the next one is due; any is false if there is none.
func (u *unsettled) next() (due time.Time, any bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, one := range u.open {
		if !one.due.IsZero() && (!any || one.due.Before(due)) {
			due, any = one.due, true
		}
	}
	return due, any
}

// run settles what is due until ctx ends.
func (t *teller) run(ctx context.Context) {
	if t.stream == nil {
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if due, any := t.unsettled.next(); any {
			timer.Reset(time.Until(due))
		}
		select {
		case <-ctx.Done():
			return
		case <-t.unsettled.wake:
			continue
		case <-timer.C:
		}
		now := time.Now()
		for _, one := range t.unsettled.take(func(one unsettledUpload) bool { return one.isDue(now) }) {
			t.settle(ctx, one)
		}
	}
}

// settleNow settles the publications in doubt of names, which are about to be changed. The caller
// prevents other changes of the names.
func (t *teller) settleNow(ctx context.Context, names ...string) {
	if t.stream == nil {
		return
	}
	for _, one := range t.unsettled.take(func(one unsettledUpload) bool { return slices.Contains(names, one.told.Name) }) {
		t.settle(ctx, one)
	}
}

// settle asks the remote what became of one.
func (t *teller) settle(ctx context.Context, one unsettledUpload) {
	told := one.told
	e, is, err := t.find(ctx, told)
	switch {
	case err != nil:
	case is:
		describe(told, e)
		err = t.record(ctx, told)
	default:
		t.stream.Withdraw(context.WithoutCancel(ctx), told)
	}
	if err == nil {
		return
	}
	if !one.due.IsZero() {
		one.due = time.Now().Add(settleAgain)
	}
	t.unsettled.put(one)
}

// clockError is how much the clocks of this machine and of a remote may differ.
const clockError = 2 * time.Minute

// find reports whether the remote has the file of told, which was prepared, and describes it. An
// error means that this cannot be known now.
func (t *teller) find(ctx context.Context, told *events.Event) (e remote.Entry, is bool, err error) {
	e, err = t.below.Stat(ctx, told.Name)
	precision := t.below.Info().Caps.ModTime
	switch {
	case errors.Is(err, remote.ErrNotExist), errors.Is(err, remote.ErrNotDir):
		_, err = t.below.Stat(ctx, ".") // while the root is missing too, that proves nothing
		return e, false, err
	case err != nil:
		return e, false, err
	case e.Dir, e.Size >= 0 && told.Size >= 0 && e.Size != told.Size, told.Replaced != "" && versionOf(e) == told.Replaced:
		return e, false, nil
	case e.ModTime.IsZero():
		return e, true, nil // rather twice than never
	case !told.ModTime.IsZero() && precision > 0:
		return e, e.ModTime.Sub(told.ModTime).Abs() < precision, nil
	}
	return e, !e.ModTime.Add(clockError).Before(told.Time.Add(-told.Duration)), nil
}

// errMayArrive means that a request of an earlier process may still make the file.
var errMayArrive = errors.New("what an earlier process sent may still arrive")

// Stored reports whether the remote has the file of e, an UploadStored that a process prepared that
// was killed before it could record or withdraw it. An error means that this cannot be known now,
// or that e is about another remote: ErrInvalid. It is asked for the first time before names are
// changed again, and then until it is known, or until e is recorded or withdrawn: that comes before
// the name is changed.
func (v *Tree) Stored(ctx context.Context, e events.Event) (bool, error) {
	return v.tell.wasStored(ctx, &e, v.doubts.pause([]string{e.Name}) > 0)
}

// Stored is Tree.Stored without a cache.
func (d *Direct) Stored(ctx context.Context, e events.Event) (bool, error) {
	return d.tell.wasStored(ctx, &e, time.Since(d.tell.began) < doubtPause)
}

// wasStored is Stored; mayArrive: a request of an earlier process may still change the name.
func (t *teller) wasStored(ctx context.Context, e *events.Event, mayArrive bool) (bool, error) {
	if e.Kind != events.UploadStored || e.Place != t.place {
		return false, fmt.Errorf("%s %s is not about %s: %w", e.Kind, e.ID, t.place, remote.ErrInvalid)
	}
	t.unsettled.take(func(one unsettledUpload) bool { return one.told.ID == e.ID }) // it was asked before
	_, is, err := t.find(ctx, e)
	if err == nil && !is && mayArrive {
		err = errMayArrive
	}
	if err != nil {
		t.unsettled.put(unsettledUpload{told: e})
		return false, err
	}
	return is, nil
}
