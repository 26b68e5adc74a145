package limit_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/limit"
)

func always(up, down int64) func(time.Time) (int64, int64) {
	return func(time.Time) (int64, int64) { return up, down }
}

func TestContracts(t *testing.T) {
	for name, o := range map[string]limit.Options{
		"no limits":   {},
		"high limits": {Bandwidth: always(1<<40, 1<<40), Rate: 1e9, Burst: 100, Connections: 100},
	} {
		t.Run(name, func(t *testing.T) {
			remotetest.RunDecorator(t,
				func() remote.Remote { return memory.New() },
				func(r remote.Remote) remote.Remote { return limit.New(r, o) })
		})
	}
}

// took runs f and compares its duration in virtual time.
func took(t *testing.T, want time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if got := time.Since(start); got > want || got < want-20*time.Millisecond {
		t.Errorf("it took %v, want %v", got, want)
	}
}

func put(t *testing.T, r remote.Remote, name string, size int) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, strings.NewReader(strings.Repeat("x", size)), remote.PutOptions{}); err != nil {
		t.Error(err)
	}
}

func get(t *testing.T, r remote.Remote, name string, size int) {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	if b, err := io.ReadAll(f); len(b) != size || err != nil {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func stage(t *testing.T, r remote.Remote, name string) remote.Stage {
	t.Helper()
	s, err := r.(remote.Stager).Stage(t.Context(), name, remote.StageOptions{Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBytesTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := limit.New(memory.New(), limit.Options{Bandwidth: always(1000, 2000)})
		took(t, 10*time.Second, func() { put(t, r, "f", 10_000) })
		took(t, 5*time.Second, func() { get(t, r, "f", 10_000) })
		took(t, 3*time.Second, func() {
			s := stage(t, r, "g")
			if n, err := io.WriteString(s, strings.Repeat("x", 3000)); n != 3000 || err != nil {
				t.Errorf("Write = %d, %v", n, err)
			}
			if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
				t.Error(err)
			}
		})
		// Both ways at once do not disturb each other, two of the same kind share.
		took(t, 20*time.Second, func() {
			var wg sync.WaitGroup
			wg.Go(func() { put(t, r, "a", 10_000) })
			wg.Go(func() { put(t, r, "b", 10_000) })
			wg.Go(func() { get(t, r, "f", 10_000) })
			wg.Wait()
		})
	})
}

func TestAShortReadIsEnoughAtALowRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := limit.New(memory.New(), limit.Options{Bandwidth: always(0, 1000)})
		put(t, r, "f", 10_000)
		f, err := r.Open(t.Context(), "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		took(t, 100*time.Millisecond, func() {
			if n, err := f.Read(make([]byte, 10_000)); n != 100 || err != nil {
				t.Errorf("Read = %d, %v", n, err)
			}
		})
		if e, ok := remote.Describe(f); !ok || e.Size != 10_000 {
			t.Errorf("%+v, %v", e, ok)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheTimetableIsObeyedWithinATransfer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		evening := time.Now().Add(10 * time.Second)
		table := func(now time.Time) (int64, int64) {
			if now.Before(evening) {
				return 1000, -1
			}
			return -1, -1
		}
		r := limit.New(memory.New(), limit.Options{Bandwidth: table})
		const piece = 100 * time.Millisecond // the last one of the day
		took(t, 10*time.Second+piece, func() { put(t, r, "f", 1_000_000) })
		took(t, 0, func() { get(t, r, "f", 1_000_000) })
	})
}

func TestTheContextEndsAWaitForBandwidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := limit.New(memory.New(), limit.Options{Bandwidth: always(1, 1)})
		put(t, r, "f", 3)
		cause := errors.New("cause")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, cause)
		defer cancel()
		took(t, 500*time.Millisecond, func() {
			if _, err := r.Put(ctx, "f", strings.NewReader("new"), remote.PutOptions{}); !errors.Is(err, cause) {
				t.Errorf("Put: %v", err)
			}
		})
		ctx, cancel = context.WithTimeoutCause(t.Context(), 500*time.Millisecond, cause)
		defer cancel()
		f, err := r.Open(ctx, "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		took(t, 500*time.Millisecond, func() {
			if _, err := f.Read(make([]byte, 10)); !errors.Is(err, cause) {
				t.Errorf("Read: %v", err)
			}
		})
		s := stage(t, r, "g")
		time.AfterFunc(700*time.Millisecond, func() {
			if err := s.Keep(); err != nil {
				t.Errorf("Keep: %v", err)
			}
		})
		took(t, 700*time.Millisecond, func() {
			if _, err := io.WriteString(s, "content"); err == nil {
				t.Error("a Write goes on after the end of its stage")
			}
		})
		synctest.Wait()
	})
}

func TestCallsTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := limit.New(memory.New(), limit.Options{Rate: 4})
		took(t, 1750*time.Millisecond, func() {
			for range 2 {
				put(t, r, "f", 1)
				get(t, r, "f", 1)
				if _, err := r.Stat(t.Context(), "f"); err != nil {
					t.Error(err)
				}
				for range r.List(t.Context(), ".") {
				}
			}
		})
		took(t, 750*time.Millisecond, func() {
			s := stage(t, r, "g")
			if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
				t.Error(err)
			}
			if err := r.Remove(t.Context(), "g"); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestABurstOfCallsBeginsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := limit.New(memory.New(), limit.Options{Rate: 0.5, Burst: 3})
		stat := func(n int) func() {
			return func() {
				for range n {
					if _, err := r.Stat(t.Context(), "."); err != nil {
						t.Error(err)
					}
				}
			}
		}
		took(t, 0, stat(3))
		took(t, 4*time.Second, stat(2))
		time.Sleep(time.Hour)
		took(t, 2*time.Second, stat(4))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Stat(ctx, "."); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stat: %v", err)
		}
		time.Sleep(time.Second)
		took(t, 0, stat(1)) // the time of the one that gave up is free
	})
}

func TestALocalFileStaysWhatItIsWithoutBandwidth(t *testing.T) {
	l, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	put(t, l, "f", 1)
	r := limit.New(l, limit.Options{Rate: 1000, Burst: 1000})
	f, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, ok := f.(*os.File); !ok {
		t.Errorf("%T", f)
	}
	s := stage(t, r, "g")
	if _, ok := s.(io.ReaderFrom); !ok {
		t.Errorf("%T is no io.ReaderFrom", s)
	}
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
}

// shortcut has readers that are io.WriterTos and stages that are io.ReaderFroms.
type shortcut struct{ remote.Forward }

func (r shortcut) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	f, err := r.Forward.Open(ctx, name, off, n)
	return writerTo{f}, err
}

func (r shortcut) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := r.Forward.Stage(ctx, name, o)
	return readerFrom{s}, err
}

type writerTo struct{ io.ReadCloser }

func (f writerTo) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{f.ReadCloser})
}

type readerFrom struct{ remote.Stage }

func (s readerFrom) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{s.Stage}, r)
}

func TestTheShortWaysTakeTheirTimeToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := limit.New(shortcut{remote.Forward{Remote: memory.New()}}, limit.Options{Bandwidth: always(1000, 2000)})
		content := strings.Repeat("x", 4000)
		took(t, 4*time.Second, func() {
			s := stage(t, r, "f")
			if n, err := s.(io.ReaderFrom).ReadFrom(strings.NewReader(content)); n != 4000 || err != nil {
				t.Errorf("ReadFrom = %d, %v", n, err)
			}
			if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
				t.Error(err)
			}
		})
		took(t, 2*time.Second, func() {
			f, err := r.Open(t.Context(), "f", 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var b strings.Builder
			if n, err := f.(io.WriterTo).WriteTo(&b); n != 4000 || b.String() != content || err != nil {
				t.Errorf("WriteTo = %d, %v", n, err)
			}
		})
	})
}

// What waits for its time when the context ends is kept back: with it, the far side would have the
// whole.
func TestTheEndOfABodyIsKeptBackWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &seeing{Forward: remote.Forward{Remote: memory.New()}}
		r := limit.New(seen, limit.Options{Bandwidth: always(10, 10)})
		ctx, cancel := context.WithTimeout(t.Context(), 1900*time.Millisecond)
		defer cancel()
		_, err := r.Put(ctx, "f", strings.NewReader(strings.Repeat("x", 20)), remote.PutOptions{Size: 20})
		if !errors.Is(err, context.DeadlineExceeded) || seen.bytes >= 20 {
			t.Errorf("%v, after %d bytes of 20", err, seen.bytes)
		}
	})
}

// seeing counts the bytes of bodies.
type seeing struct {
	remote.Forward
	bytes int
}

func (s *seeing) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	body = remote.TapBody(body, func(n int64, _ error) { s.bytes += int(n) })
	return s.Forward.Put(context.WithoutCancel(ctx), name, body, o)
}
