package cache

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
)

// begin begins a draft.
func begin(t *testing.T, s *Store, name string) *Draft {
	t.Helper()
	d, err := s.Create(t.Context(), CreateOptions{Name: name, Owner: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// fill stores a file that takes n bytes in all.
func fill(t *testing.T, s *Store, name string, n int64) Record {
	t.Helper()
	d := begin(t, s, name)
	if _, err := d.Write(make([]byte, n-dataStart)); err != nil {
		t.Fatal(err)
	}
	r, err := d.Commit(t.Context(), Record{Name: name}, Durable)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const mebi = 1 << 20

func TestAWriteWaitsUntilSomethingIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openMemory(t, disktest.New(), Options{MaxSize: mebi, StallTimeout: time.Minute})
		r := fill(t, s, "full", mebi)
		d := begin(t, s, "next")
		start := time.Now()
		time.AfterFunc(50*time.Second, func() {
			if err := s.Done(r.ID, Fingerprint{}, false); err != nil {
				t.Error(err)
			}
		})
		if _, err := d.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 50*time.Second {
			t.Errorf("it took %v", took)
		}
		if err := d.Abort(); err != nil {
			t.Error(err)
		}
		if got := s.Stats(); got != (Stats{Limit: mebi}) {
			t.Errorf("there is %+v", got)
		}
	})
}

func TestAStalledWriteFailsAfterTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openMemory(t, disktest.New(), Options{MaxSize: mebi, StallTimeout: time.Minute})
		second := fill(t, s, "full", mebi)
		first, err := s.Add(t.Context(), Record{Kind: Removed, Name: "gone"}, Durable) // is made all the same
		if err != nil {
			t.Fatal(err)
		}
		d := begin(t, s, "next")
		start := time.Now()
		time.AfterFunc(40*time.Second, func() { // makes room, but not enough
			if err := s.Drop(first.ID, Durable); err != nil {
				t.Error(err)
			}
		})
		_, err = d.ReadFrom(strings.NewReader("data"))
		if took := time.Since(start); !errors.Is(err, ErrNoSpace) || took != 100*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		if err := s.Drop(second.ID, Durable); err != nil {
			t.Fatal(err)
		}
		if n, err := d.ReadFrom(strings.NewReader("data")); n != 4 || err != nil { // nothing of it is lost
			t.Errorf("then %d, %v", n, err)
		}
		if err := d.Keep(); err != nil {
			t.Error(err)
		}
	})
}

func TestRefusedWritesDoNotRenewTheStallTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openMemory(t, disktest.New(), Options{MaxSize: mebi, StallTimeout: time.Minute})
		fill(t, s, "full", mebi)
		defer running(t, s)()
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 10 {
			time.Sleep(10 * time.Second)
			begun := time.Now()
			wg.Go(func() {
				d := begin(t, s, "next")
				if _, err := d.Write([]byte("data")); !errors.Is(err, ErrNoSpace) || time.Since(begun) != time.Minute {
					t.Errorf("upload %d after %v: %v", i, time.Since(begun), err)
				}
				if err := d.Abort(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took != 160*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestTheEndOfTheUploadEndsTheWait(t *testing.T) {
	for name, end := range map[string]func(cancel func(), d *Draft) error{
		"context": func(cancel func(), _ *Draft) error { cancel(); return nil },
		"keep":    func(_ func(), d *Draft) error { return d.Keep() },
		"discard": func(_ func(), d *Draft) error { return d.Abort() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := openMemory(t, disktest.New(), Options{MaxSize: mebi})
				fill(t, s, "full", mebi)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				d, err := s.Create(ctx, CreateOptions{Name: "next", Owner: "bob"})
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				wrote := make(chan error)
				go func() { _, err := d.Write([]byte("data")); wrote <- err }()
				synctest.Wait()
				if err := end(cancel, d); err != nil {
					t.Error(err)
				}
				if err := <-wrote; err == nil || errors.Is(err, ErrNoSpace) {
					t.Errorf("the write ended with %v", err)
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("it took %v", took)
				}
				if err := d.Abort(); err != nil {
					t.Error(err)
				}
				if st := s.Stats(); st.Drafts != (Usage{}) || st.Parts != (Usage{}) {
					t.Errorf("there is %+v", st)
				}
			})
		})
	}
}

func TestTheCacheExceedsItsSizeByOneWriteAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 4 * mebi
		s := openMemory(t, disktest.New(), Options{MaxSize: size, StallTimeout: time.Hour})
		var (
			wg    sync.WaitGroup
			mu    sync.Mutex
			peak  int64
			watch = func() {
				mu.Lock()
				defer mu.Unlock()
				peak = max(peak, s.Stats().Used)
			}
		)
		for range 8 {
			wg.Go(func() {
				for range 4 {
					d := begin(t, s, "f")
					for range 10 {
						if _, err := d.ReadFrom(io.LimitReader(zeros{}, 40<<10)); err != nil {
							t.Error(err)
							return
						}
						watch()
						time.Sleep(time.Millisecond)
					}
					r, err := d.Commit(t.Context(), Record{Name: "f"}, Spooled)
					if err != nil {
						t.Error(err)
						return
					}
					wg.Go(func() {
						time.Sleep(time.Second)
						if err := s.Done(r.ID, Fingerprint{}, false); err != nil {
							t.Error(err)
						}
					})
				}
			})
		}
		wg.Wait()
		if limit := size + s.quota.chunk() + 8*dataStart; peak > limit || peak < size {
			t.Errorf("at most %d bytes were in use, with a size of %d", peak, size)
		}
		if used := s.Stats().Used; used != 0 {
			t.Errorf("%d bytes are still counted", used)
		}
	})
}

// zeros is a content without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestBytesStayFreeOnTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := disktest.New()
		disk.SetSize(mebi)
		s := openMemory(t, disk, Options{MinFree: mebi / 2, StallTimeout: time.Minute})
		d := begin(t, s, "f")
		if _, err := d.Write(make([]byte, mebi/2)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := d.Write(make([]byte, 1)); !errors.Is(err, ErrNoSpace) || time.Since(start) != time.Minute {
			t.Fatalf("after %v: %v", time.Since(start), err)
		}
		start = time.Now()
		time.AfterFunc(10*time.Second+recheck/2, func() { disk.SetSize(2 * mebi) }) // another program has cleaned up
		if _, err := d.Write(make([]byte, 1)); err != nil || time.Since(start) != 11*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if err := d.Abort(); err != nil {
			t.Error(err)
		}
	})
}

func TestAFullDiskIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := disktest.New()
		s := openMemory(t, disk, Options{StallTimeout: time.Minute})
		r := fill(t, s, "full", mebi)
		disk.SetSize(disk.Used() + 2*disktest.PageSize)
		d := begin(t, s, "next")
		start := time.Now()
		time.AfterFunc(30*time.Second, func() {
			if err := s.Done(r.ID, Fingerprint{}, false); err != nil {
				t.Error(err)
			}
		})
		content := strings.Repeat("0123456789", 2000)
		if n, err := d.ReadFrom(strings.NewReader(content)); n != int64(len(content)) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("it took %v", took)
		}
		disk.SetSize(disk.Used()) // no page for the header
		time.AfterFunc(30*time.Second, func() { disk.SetSize(mebi) })
		committed, err := d.Commit(t.Context(), Record{Name: "next"}, Durable)
		if err != nil {
			t.Fatal(err)
		}
		if got := contentOf(t, s, committed.ID); got != content {
			t.Errorf("the content has %d bytes", len(got))
		}
		disk.SetSize(disk.Used())
		start = time.Now()
		_, err = s.Add(t.Context(), Record{Kind: Removed, Name: "x"}, Durable)
		if !errors.Is(err, ErrNoSpace) || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestWhatWasTakenIsGivenBack(t *testing.T) {
	s := openMemory(t, disktest.New(), Options{})
	broken := errors.New("broken")
	d := begin(t, s, "f")
	_, err := d.ReadFrom(io.MultiReader(strings.NewReader("data"), failing{broken}))
	if !errors.Is(err, broken) || d.Size() != 4 {
		t.Fatalf("%d bytes, %v", d.Size(), err)
	}
	if used := s.Stats().Used; used != dataStart+4 {
		t.Errorf("%d bytes are counted", used)
	}
	if err := d.Abort(); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st != (Stats{}) {
		t.Errorf("there is %+v", st)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
