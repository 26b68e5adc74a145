package breaker

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
)

// far is a remote that answers after a while, or with an error, or never.
type far struct {
	takes time.Duration
	err   error
	back  atomic.Bool // it answers at once
	asked atomic.Int32
}

func (f *far) call(ctx context.Context) error {
	f.asked.Add(1)
	takes := f.takes
	if f.back.Load() {
		takes = 0
	}
	select {
	case <-time.After(takes):
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

const never = 1000 * time.Hour

func TestAskWaitsForAWhileOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &far{takes: never}
		b := New(Options{Wait: 3 * time.Second, Probe: f.call})
		defer b.Close()
		began := time.Now()
		if err := b.Ask(t.Context(), f.call); !errors.Is(err, ErrSilent) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("of a silent remote: %v", err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it waited %v", took)
		}
		asked := f.asked.Load()
		if err := b.Ask(t.Context(), func(context.Context) error { t.Error("it was asked again"); return nil }); err != ErrOpen {
			t.Errorf("right after that: %v", err)
		}
		if b.Closed() {
			t.Error("it is closed")
		}
		f.back.Store(true)
		time.Sleep(2 * cooldown) // a probe is under way, or the next query begins one
		_ = b.Closed()
		synctest.Wait()
		if !b.Closed() || f.asked.Load() == asked {
			t.Errorf("the remote answers again, and after %d probes it is open", f.asked.Load()-asked)
		}
	})
}

func TestWhatIsReported(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		closed bool
	}{
		"an answer":             {nil, true},
		"an answer that is no":  {remote.ErrNotExist, true},
		"a failure on the way":  {errors.New("connection reset"), false},
		"that it was cancelled": {context.Canceled, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := New(Options{Open: tt.closed})
				b.Report(t.Context(), tt.err)
				if b.Closed() != tt.closed {
					t.Errorf("closed: %v", !tt.closed)
				}
				b.Close()
			})
		})
	}
	t.Run("what its caller gave up", func(t *testing.T) {
		b := New(Options{})
		defer b.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if b.Report(ctx, errors.New("connection reset")); !b.Closed() {
			t.Error("the remote is blamed for it")
		}
	})
}

// run makes a guarded call that lasts until its context ends, or for takes.
func run(b *Breaker, ctx context.Context, limit Limit, takes time.Duration, during func(w *Watchdog)) (took time.Duration, err error) {
	began := time.Now()
	ctx, w := b.Guard(ctx, limit)
	defer w.End(&err)
	if during != nil {
		during(w)
	}
	return time.Since(began), (&far{takes: takes - time.Since(began)}).call(ctx)
}

func TestAWatchdogEndsACallThatWaitsInVain(t *testing.T) {
	for name, tt := range map[string]struct {
		limit Limit
		probe *far
		takes time.Duration
		ends  time.Duration // when it is ended; 0 = it is not
	}{
		"a query":                              {ForQuery(), &far{}, never, AnswerLimit},
		"a query that is quick enough":         {ForQuery(), &far{}, AnswerLimit - 1, 0},
		"a change":                             {ForChange(), &far{}, never, ChangeLimit},
		"a long query, and the remote is away": {ForLongQuery(), &far{takes: never}, never, AnswerLimit},
		"a long query, and probes are refused": {ForLongQuery(), &far{err: errors.New("no route")}, never, AnswerLimit - probeLimit},
		"a long query of a remote that lives":  {ForLongQuery(), &far{}, time.Hour, 0},
		"a long change":                        {ForLongChange(), &far{takes: never}, never, ChangeLimit},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := New(Options{Probe: tt.probe.call})
				defer b.Close()
				began := time.Now()
				_, err := run(b, t.Context(), tt.limit, tt.takes, nil)
				took, silent := time.Since(began), errors.Is(err, ErrSilent)
				if silent != (tt.ends > 0) || silent && took != tt.ends || !silent && (err != nil || took != tt.takes) {
					t.Errorf("%v after %v, want its end after %v", err, took, tt.ends)
				}
			})
		})
	}
}

func TestASignOfLifeAndAPauseCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Options{})
		defer b.Close()
		began := time.Now()
		_, err := run(b, t.Context(), ForQuery(), never, func(w *Watchdog) {
			w.Pause()
			time.Sleep(time.Hour)
			w.Resume()
			time.Sleep(AnswerLimit - time.Second)
			w.Hear()
		})
		if want := time.Hour + 2*AnswerLimit - time.Second; !errors.Is(err, ErrSilent) || time.Since(began) != want {
			t.Errorf("%v after %v, want %v", err, time.Since(began), want)
		}
	})
	var none *Watchdog // of a call that nobody guards
	none.Hear()
	none.Pause()
	none.Resume()
	err := errors.New("its own")
	none.Settle(&err)
	none.End(&err)
	if none.Short() || WatchdogOf(t.Context()) != nil {
		t.Error("there is one")
	}
}
