package budget

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const (
	mib   = 1 << 20
	part  = 5 * mib
	begin = 64 << 10
)

func TestReadersShareWhatThereIs(t *testing.T) {
	b := New(20 * mib)
	for _, want := range []int64{16 * mib, 10 * mib, 20 * mib / 3, 5 * mib} {
		b.AddReader(16 * mib)
		if got := b.Share(16 * mib); got != want {
			t.Errorf("%d readers have %d bytes each, want %d", b.Readers(), got, want)
		}
	}
	u := b.Upload()
	defer u.End()
	if got := b.Share(16 * mib); got != 5*mib {
		t.Errorf("with an upload that holds nothing they have %d", got)
	}
	if err := u.Collect(t.Context(), part); err != nil {
		t.Fatal(err)
	}
	if got := b.Share(16 * mib); got != 4*mib {
		t.Errorf("with an upload that holds its share they have %d", got)
	}
}

func TestWithoutLimitNobodyWaits(t *testing.T) {
	for _, b := range []*Budget{nil, New(0)} {
		u := b.Upload()
		for range 100 {
			if err := u.Collect(t.Context(), 1<<40); err != nil {
				t.Fatal(err)
			}
			u.Sent()
		}
		u.End()
		if b.Held() != 0 || b.Fair(7) != 7 {
			t.Error(b.Held(), b.Fair(7))
		}
	}
}

// after reports what call returned once nothing else happens, "waits" if it has not.
func after(call func() error) func() string {
	done := make(chan error, 1)
	go func() { done <- call() }()
	return func() string {
		synctest.Wait()
		select {
		case err := <-done:
			done <- err
			if err != nil {
				return err.Error()
			}
			return ""
		default:
			return "waits"
		}
	}
}

func expect(t *testing.T, what string, is func() string, want string) {
	t.Helper()
	if got := is(); got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestWhoHasNothingComesBeforeWhoHasParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(2 * part)
		rich, poor := b.Upload(), b.Upload()
		collect := func(u *Upload) func() string {
			return after(func() error { return u.Collect(t.Context(), part) })
		}
		expect(t, "first part", collect(rich), "")
		done1 := rich.Sent()
		expect(t, "second part", collect(rich), "")
		done2 := rich.Sent()
		third := collect(rich)
		expect(t, "third part", third, "waits")
		first := collect(poor)
		expect(t, "first part of another", first, "waits")
		done1()
		expect(t, "first part of another", first, "")
		expect(t, "third part", third, "waits")
		done2() // now it has none, and there is room
		expect(t, "third part", third, "")
		if b.Held() != 2*part {
			t.Error(b.Held())
		}
		rich.End()
		poor.End()
		if b.Held() != 0 {
			t.Error(b.Held())
		}
	})
}

func TestBeginningsAloneDoNotKeepEverybodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(part)
		var all []*Upload
		for range part / begin { // they take all there is
			u := b.Upload()
			if err := u.Begin(t.Context(), begin); err != nil {
				t.Fatal(err)
			}
			all = append(all, u)
		}
		late := b.Upload()
		begun := after(func() error { return late.Begin(t.Context(), begin) })
		expect(t, "one more", begun, "waits")
		first := after(func() error { return all[0].Collect(t.Context(), part) })
		expect(t, "first that grows", first, "")
		second := after(func() error { return all[1].Collect(t.Context(), part) })
		expect(t, "second that grows", second, "waits")
		all[0].Sent()()
		expect(t, "second that grows", second, "")
		all[1].Sent()()
		expect(t, "one more", begun, "")
		for _, u := range append(all, late) {
			u.End()
		}
		if b.Held() != 0 {
			t.Error(b.Held())
		}
	})
}

func TestOneThatIsLargerThanTheBudgetIsServedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(mib)
		u, v := b.Upload(), b.Upload()
		expect(t, "first", after(func() error { return u.Collect(t.Context(), part) }), "")
		waiting := after(func() error { return v.Collect(t.Context(), part) })
		expect(t, "second", waiting, "waits")
		u.End()
		expect(t, "second", waiting, "")
		v.End()
	})
}

func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(part)
		u := b.Upload()
		if err := u.Collect(t.Context(), part); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		v, w, x := b.Upload(), b.Upload(), b.Upload()
		byContext := after(func() error { return v.Collect(ctx, part) })
		byFail := after(func() error { return w.Collect(t.Context(), part) })
		byEnd := after(func() error { return x.Collect(t.Context(), part) })
		expect(t, "before", byContext, "waits")
		cancel(errors.New("given up"))
		expect(t, "context", byContext, "given up")
		w.Fail(errors.New("failed"))
		expect(t, "failed", byFail, "failed")
		if err := w.Collect(t.Context(), 1); err == nil {
			t.Error("an upload that has failed may go on")
		}
		x.End()
		expect(t, "ended", byEnd, "file already closed")
		for _, u := range []*Upload{u, v, w, x} {
			u.End()
		}
		if b.Held() != 0 || b.uploads.Load() != 0 {
			t.Error(b.Held(), b.uploads.Load())
		}
	})
}

func TestReadersLeaveUploadsTheirShare(t *testing.T) {
	b := New(100 * mib)
	for range 3 {
		b.AddReader(16 * mib)
	}
	u := b.Upload()
	defer u.End()
	b.mu.Lock()
	if got := b.forUploads(); got != 52*mib {
		t.Errorf("beside three readers %d MiB are for uploads", got/mib)
	}
	b.mu.Unlock()
	for range 96 {
		b.AddReader(16 * mib)
	}
	b.mu.Lock()
	if got := b.forUploads(); got != mib {
		t.Errorf("beside 99 readers %d bytes are for an upload", got)
	}
	b.mu.Unlock()
	for range 99 {
		b.RemoveReader(16 * mib)
	}
	if b.wanted != 0 || b.Readers() != 0 {
		t.Error(b.wanted, b.Readers())
	}
}

// Many uploads with slow clients and a slow remote: all end, and there is never more than may be.
func TestManyUploadsAllEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total, uploads = 64 * mib, 500
		b := New(total)
		var most atomic.Int64
		held := func() {
			for n := b.Held(); ; {
				if old := most.Load(); n <= old || most.CompareAndSwap(old, n) {
					return
				}
			}
		}
		var all sync.WaitGroup
		for i := range uploads {
			all.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), 1))
				u := b.Upload()
				defer u.End()
				var sending sync.WaitGroup
				defer sending.Wait()
				slow := time.Duration(random.IntN(3000)) * time.Millisecond
				if random.IntN(2) == 0 {
					if err := u.Begin(t.Context(), begin); err != nil {
						t.Error(err)
					}
					held()
					time.Sleep(slow / 80)
				}
				for range 1 + random.IntN(4) {
					if err := u.Collect(t.Context(), part); err != nil {
						t.Error(err)
						return
					}
					held()
					time.Sleep(slow) // the client sends
					done := u.Sent()
					sending.Go(func() {
						time.Sleep(time.Duration(50+random.Int64N(100)) * time.Millisecond)
						done()
					})
				}
			})
		}
		all.Wait()
		if got := most.Load(); got > total+part || got < total/2 {
			t.Errorf("%d MiB of %d were held", got/mib, total/mib)
		}
		if b.Held() != 0 || b.wholes != 0 || b.uploads.Load() != 0 {
			t.Error("something is left: ", b.Held(), b.wholes, b.uploads.Load())
		}
	})
}

func TestBuffersAreUsedAgain(t *testing.T) {
	b := New(0)
	for range maxSizes * 2 { // more sizes than are kept
		b.Recycle(make([]byte, 0, 1+rand.IntN(1000)))
	}
	b = New(0)
	again := 0
	for range 100 {
		buf := append(b.Buffer(part), "x"...)
		if len(buf) != 1 || cap(buf) != part {
			t.Fatal(len(buf), cap(buf))
		}
		b.Recycle(buf)
		if used := b.Used(part); used != nil {
			again++
		}
	}
	if again == 0 {
		t.Error("no buffer was used again")
	}
}
