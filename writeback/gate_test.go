package writeback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
)

// A loaded remote takes as long for a Put as its load makes it take.
type loaded struct {
	remote.Forward
	latency time.Duration
	most    int           // calls at a time that it bears; 0 = any number
	each    time.Duration // for which a Put has all of the bandwidth
	retry   bool          // a refused call is made again below the tree

	mu      sync.Mutex
	running int           // guarded by mu
	peak    int           // guarded by mu
	refused int           // guarded by mu
	free    time.Time     // guarded by mu; when the bandwidth is free
	busy    time.Duration // guarded by mu; that all calls together took, since
	since   time.Time     // guarded by mu
	changed time.Time     // guarded by mu; when running changed last
	dead    bool          // guarded by mu; nothing is answered
}

var errBusy = errors.New("503 Slow Down")

func newLoaded() *loaded {
	return &loaded{Forward: remote.Forward{Remote: memory.New()}, latency: 30 * time.Millisecond}
}

func (l *loaded) Info() remote.Info { return far{l.Forward}.Info() }

func (l *loaded) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	for {
		wait, refused := l.begin()
		time.Sleep(wait)
		switch {
		case refused && l.retry:
			remote.Congested(ctx)
			time.Sleep(10 * l.latency)
		case refused:
			return remote.Entry{}, errBusy
		default:
			l.mu.Lock()
			l.add(-1)
			l.mu.Unlock()
			return l.Forward.Put(ctx, name, body, o)
		}
	}
}

func (l *loaded) begin() (wait time.Duration, refused bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.peak = max(l.peak, l.running+1)
	if l.dead || l.most > 0 && l.running == l.most {
		l.refused++
		return l.latency, true
	}
	l.add(1)
	wait = l.latency
	if l.each > 0 {
		now := time.Now()
		if l.free.Before(now) {
			l.free = now
		}
		l.free = l.free.Add(l.each)
		wait += l.free.Sub(now)
	}
	return wait, false
}

// counts returns how many calls run, ran at once at most, and were refused.
func (l *loaded) counts() (running, peak, refused int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running, l.peak, l.refused
}

// add counts calls that run.
// LOCKS_REQUIRED(l.mu)
func (l *loaded) add(n int) {
	now := time.Now()
	l.busy += time.Duration(l.running) * now.Sub(l.changed)
	l.running += n
	l.changed = now
}

// mean returns how many calls ran in the mean since the last time.
func (l *loaded) mean() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(0)
	mean := l.busy.Seconds() / l.changed.Sub(l.since).Seconds()
	l.busy, l.since = 0, l.changed
	return mean
}

// drain starts a tree over r whose n small files are due, and stops it at the end of the test.
func drain(t *testing.T, r remote.Remote, gate *Gate, server string, n int, size int64) *Tree {
	t.Helper()
	store, err := cache.Open(disktest.New(), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, closeTree := newTree(r, Options{Store: store, Mode: Writes, Gate: gate, Server: server})
	for i := range n {
		u, err := v.Stage(t.Context(), fmt.Sprint("f", i), remote.StageOptions{Owner: "bob"})
		if err == nil {
			_, err = io.Copy(u, strings.NewReader(strings.Repeat("x", int(size))))
		}
		if err == nil {
			_, err = u.Commit(t.Context(), time.Time{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, closeTree(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	return v
}

// empty waits until v has sent everything, and returns how long that took.
func empty(t *testing.T, v *Tree) time.Duration {
	t.Helper()
	begin := time.Now()
	for v.Waiting().Changes > 0 {
		if time.Since(begin) > time.Hour {
			t.Fatalf("after an hour there wait %+v", v.Waiting())
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(begin)
}

func TestTransfersGrowAsLongAsTheRateDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLoaded()
		v := drain(t, r, NewGate(Auto), "", 500, 1)
		synctest.Wait()
		if running, _, _ := r.counts(); running != firstTransfers {
			t.Errorf("it begins with %d transfers", running)
		}
		if took := empty(t, v); took > time.Second {
			t.Errorf("500 files over 30 ms took %v", took)
		}
		if _, peak, _ := r.counts(); peak != maxTransfers {
			t.Errorf("up to %d transfers were used, want %d", peak, maxTransfers)
		}
	})
}

func TestAFixedNumberOfTransfersStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLoaded()
		r.most = 5
		empty(t, drain(t, r, NewGate(7), "", 100, 1))
		if _, peak, refused := r.counts(); peak != 6 || refused == 0 {
			t.Errorf("up to %d transfers were used, and %d refused", peak, refused)
		}
	})
}

// Refused calls are made again by a layer below, which reports them, or fail.
func TestTransfersStayBelowWhatIsRefused(t *testing.T) {
	for _, retry := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := newLoaded()
			r.most, r.retry = 16, retry
			v := drain(t, r, NewGate(Auto), "", 3000, 1)
			for v.Waiting().Changes > 2000 {
				time.Sleep(10 * time.Millisecond)
			}
			r.mean()
			_, _, refused := r.counts()
			if refused == 0 || refused > 100 {
				t.Errorf("retry %v: %d calls were refused until the number was found", retry, refused)
			}
			for v.Waiting().Changes > 500 {
				time.Sleep(10 * time.Millisecond)
			}
			if mean := r.mean(); mean < 14 || mean > 16 {
				t.Errorf("retry %v: %.1f transfers ran in the mean, want nearly 16", retry, mean)
			}
			if _, _, now := r.counts(); now-refused > 20 {
				t.Errorf("retry %v: then %d of 1500 were refused", retry, now-refused)
			}
			empty(t, v)
		})
	}
}

// With 10 ms of the whole bandwidth for each file and 30 ms besides, 4 at a time use all of it;
// with 2 ms it is 16.
func TestTransfersDoNotGrowBeyondTheBandwidth(t *testing.T) {
	for each, want := range map[time.Duration]float64{10 * time.Millisecond: 4, 2 * time.Millisecond: 16, time.Millisecond: 31} {
		synctest.Test(t, func(t *testing.T) {
			r := newLoaded()
			r.each = each
			v := drain(t, r, NewGate(Auto), "", 2000, 1)
			for v.Waiting().Changes > 1300 {
				time.Sleep(10 * time.Millisecond)
			}
			r.mean()
			begin, from := time.Now(), v.Waiting().Changes
			for v.Waiting().Changes > 500 {
				time.Sleep(10 * time.Millisecond)
			}
			rate := float64(from-v.Waiting().Changes) / time.Since(begin).Seconds() * each.Seconds()
			if mean := r.mean(); mean > want*1.5 || mean < want*0.8 || rate < 0.9 {
				t.Errorf("%v each: %.1f transfers in the mean, want %v; %.0f %% of the bandwidth", each, mean, want, 100*rate)
			}
			empty(t, v)
		})
	}
}

func TestTransfersHalveAtARefusal(t *testing.T) {
	c := newCongestion()
	now := time.Now()
	s := c.begin(now)
	for want := 2; want > 0; want /= 2 {
		c.congested(s, now)
		c.congested(s, now) // it began before
		if c.limit != want {
			t.Fatalf("%d transfers, want %d", c.limit, want)
		}
		s = c.begin(now)
	}
	c.congested(s, now)
	if c.limit != 1 {
		t.Errorf("%d transfers: the last is never taken away", c.limit)
	}
}

// After an outage the search begins anew: no number was too large.
func TestTransfersGrowQuicklyAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLoaded()
		r.dead = true
		gate := NewGate(Auto)
		v := drain(t, r, gate, "x", 1000, 1)
		time.Sleep(time.Minute)
		if n := gate.Transfers("x"); n != 1 {
			t.Errorf("%d transfers to a server that does not answer", n)
		}
		r.mu.Lock()
		r.dead = false
		r.mu.Unlock()
		empty(t, v)
		if n := gate.Transfers("x"); n != maxTransfers {
			t.Errorf("%d transfers in the end", n)
		}
	})
}

func TestATreeWithManyFilesDoesNotStopOthers(t *testing.T) {
	for _, transfers := range []int{1, 4, Auto} {
		synctest.Test(t, func(t *testing.T) {
			r := newLoaded()
			gate := NewGate(transfers)
			many := drain(t, r, gate, "x", 2000, 1)
			time.Sleep(time.Second)
			few := newLoaded()
			took := empty(t, drain(t, few, gate, "x", 1, 1))
			if took > 100*time.Millisecond || many.Waiting().Changes == 0 {
				t.Errorf("%d transfers: one file of another tree took %v", transfers, took)
			}
			third, fourth := newLoaded(), newLoaded()
			a, b := drain(t, third, gate, "x", 40, 1), drain(t, fourth, gate, "x", 40, 1)
			first, second := empty(t, a), empty(t, b)
			if math.Abs(second.Seconds()) > first.Seconds()/5 {
				t.Errorf("%d transfers: two trees with as many files end %v apart, after %v", transfers, second, first)
			}
			empty(t, many)
			if len(gate.waiting) > 0 || gate.running != (load{}) {
				t.Errorf("%+v are left", gate.running)
			}
		})
	}
}

// Large files of one tree leave transfers to the small ones of another.
func TestTreesShareTheTransfersThatAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLoaded()
		r.latency = time.Hour
		gate := NewGate(4)
		large := drain(t, r, gate, "", 5, largeFile+1)
		synctest.Wait()
		if n := large.Waiting().Uploading; n != 3 {
			t.Errorf("%d large files are being sent", n)
		}
		r2 := newLoaded()
		r2.latency = time.Hour
		other := drain(t, r2, gate, "", 1, largeFile+1)
		small := newLoaded()
		if took := empty(t, drain(t, small, gate, "", 20, 1)); took > time.Second {
			t.Errorf("small files waited %v", took)
		}
		if n := other.Waiting().Uploading; n != 0 {
			t.Errorf("%d large files of another tree are being sent", n)
		}
		time.Sleep(3 * time.Hour)
		if w := large.Waiting().Changes + other.Waiting().Changes; w > 0 {
			t.Errorf("%d large files still wait", w)
		}
	})
}

// A server that does not answer takes no transfers from others.
func TestADeadServerStopsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, gate := newLoaded(), NewGate(Auto)
		dead.dead, dead.latency = true, time.Minute
		drain(t, dead, gate, "dead", 1000, 1)
		time.Sleep(10 * time.Minute)
		if took := empty(t, drain(t, newLoaded(), gate, "alive", 500, 1)); took > time.Second {
			t.Errorf("500 files to another server took %v", took)
		}
	})
}
