package cache

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
)

// sharing returns n Stores that share size bytes.
func sharing(t *testing.T, n int, size int64) []*Store {
	t.Helper()
	share := NewShare(size)
	var all []*Store
	for range n {
		all = append(all, openMemory(t, disktest.New(), Options{Share: share, StallTimeout: time.Minute}))
	}
	return all
}

// keep makes a clean copy that takes n bytes in all.
func keep(t *testing.T, s *Store, name string, n int64) {
	t.Helper()
	if err := s.Done(fill(t, s, name, n).ID, Fingerprint{Version: name}, true); err != nil {
		t.Fatal(err)
	}
}

func TestStoresShareALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := sharing(t, 2, mebi)
		a, b := all[0], all[1]
		if st := a.Stats(); st.Limit != mebi {
			t.Errorf("the limit is %d", st.Limit)
		}
		full := fill(t, a, "full", mebi)
		d := begin(t, b, "next")
		if _, err := d.Write([]byte("data")); !errors.Is(err, ErrNoSpace) {
			t.Errorf("a full limit takes more: %v", err)
		}
		time.AfterFunc(30*time.Second, func() {
			if err := a.Drop(full.ID, Durable); err != nil {
				t.Error(err)
			}
		})
		if _, err := d.Write([]byte("data")); err != nil {
			t.Errorf("what another store has freed is not taken: %v", err)
		}
		if err := d.Abort(); err != nil {
			t.Error(err)
		}
	})
}

// A store full of waiting changes does not stop the upload of another while there is room in all.
func TestAFullStoreDoesNotStopAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := sharing(t, 2, mebi)
		fill(t, all[0], "much", mebi-64<<10)
		begun := time.Now()
		fill(t, all[1], "small", dataStart+1000)
		if took := time.Since(begun); took > 0 {
			t.Errorf("it waited %v", took)
		}
	})
}

func TestWhoeverUsesMostGivesUpCopiesFirst(t *testing.T) {
	all := sharing(t, 3, 12*mebi)
	a, b, c := all[1], all[0], all[2]
	for i, name := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		keep(t, a, name, mebi)
		if i < 3 {
			keep(t, b, name, mebi)
		}
	}
	for _, name := range []string{"x", "y", "z"} {
		fill(t, c, name, mebi) // 14 MiB in all
	}
	if got := b.Stats().Used; got != 3*mebi {
		t.Errorf("a store below its share has %d MiB of 3 left", got/mebi)
	}
	if got := a.Stats().Used + b.Stats().Used + c.Stats().Used; got > 12*mebi+maxChunk {
		t.Errorf("%d MiB are used", got/mebi)
	}
	fill(t, c, "more", 4*mebi) // beyond its share, and a gives up what it has beyond its own
	fill(t, c, "even", 4*mebi)
	if got := c.Stats().Used; got != 11*mebi {
		t.Errorf("uploads have %d MiB, want 11", got/mebi)
	}
}

// While a store that uses less than its share waits for room, one that uses more gets none.
func TestWhatIsFreedGoesToWhoeverUsesLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := sharing(t, 2, 4*mebi)
		rich, poor := all[0], all[1]
		first := fill(t, rich, "first", mebi)
		fill(t, rich, "rest", 3*mebi)
		var writes sync.WaitGroup
		write := func(s *Store) (took *time.Duration) {
			took = new(time.Duration)
			d := begin(t, s, "next")
			start := time.Now()
			writes.Go(func() {
				if _, err := d.Write(make([]byte, mebi/2)); err != nil && (s == poor || !errors.Is(err, ErrNoSpace)) {
					t.Error(err)
				}
				*took = time.Since(start)
				if err := d.Abort(); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			return took
		}
		for range 8 { // they wait first
			write(rich)
		}
		took := write(poor)
		time.Sleep(10 * time.Second)
		if err := rich.Drop(first.ID, Durable); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if *took != 10*time.Second {
			t.Errorf("the store with nothing waited %v", *took)
		}
		writes.Wait()
	})
}

func TestAClosedStoreDoesNotCount(t *testing.T) {
	share := NewShare(mebi)
	a, err := Open(disktest.New(), Options{Share: share})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, a, "full", mebi)
	b := openMemory(t, disktest.New(), Options{Share: share})
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	fill(t, b, "full", mebi)
	if share.used != mebi || len(share.stores) != 1 {
		t.Errorf("%d bytes of %d stores count", share.used, len(share.stores))
	}
}
