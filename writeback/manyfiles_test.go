package writeback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

// crowd returns a tree with n pending files in the directory "many".
func crowd(t testing.TB, n int) *Tree {
	t.Helper()
	store, err := cache.Open(disktest.New(), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, closeTree := newTree(memory.New(), Options{Store: store, Mode: Writes, WriteBack: time.Hour})
	t.Cleanup(func() {
		if err := errors.Join(closeTree(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range n {
		c := newChange(cache.Record{
			ID: fmt.Sprint("id", i), Seq: uint64(i + 1), Kind: cache.File, Name: fmt.Sprintf("many/file-%06d", i), Size: 1,
		}, time.Now().Add(time.Hour))
		v.pending.add(c)
		v.queue.push(c)
	}
	return v
}

// BenchmarkStoreBesideListings stores small files while three sessions list a directory with
// 100,000 pending files.
func BenchmarkStoreBesideListings(b *testing.B) {
	tree := crowd(b, 100_000)
	ctx, cancel := context.WithCancel(b.Context())
	var listers sync.WaitGroup
	defer listers.Wait()
	defer cancel()
	for range 3 {
		listers.Go(func() {
			for ctx.Err() == nil {
				for range tree.List(ctx, "many") {
				}
			}
		})
	}
	var stores []time.Duration
	for b.Loop() {
		begin := time.Now()
		u, err := tree.Stage(ctx, fmt.Sprint("file", len(stores)%100), remote.StageOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(u, strings.NewReader("x")); err != nil {
			b.Fatal(err)
		}
		if _, err := u.Commit(ctx, time.Time{}); err != nil {
			b.Fatal(err)
		}
		stores = append(stores, time.Since(begin))
	}
	slices.Sort(stores)
	b.ReportMetric(float64(stores[len(stores)*9/10].Microseconds())/1000, "ms/p90")
	b.ReportMetric(float64(stores[len(stores)-1].Microseconds())/1000, "ms/most")
}

// BenchmarkStats queries the summary of 100,000 pending files.
func BenchmarkStats(b *testing.B) {
	tree := crowd(b, 100_000)
	for b.Loop() {
		if w := tree.Waiting(); w.Changes != 100_000 {
			b.Fatal(w)
		}
	}
}

// BenchmarkRecover recovers 100,000 pending files of an earlier process.
func BenchmarkRecover(b *testing.B) {
	for b.Loop() {
		crowd(b, 100_000)
	}
}

// The work of a listing under the lock does not grow with the number of pending files.
func TestAListingOfManyBeginsAtOnce(t *testing.T) {
	allocs := func(n int) float64 {
		tree := crowd(t, n)
		return testing.AllocsPerRun(10, func() {
			if _, err := tree.newListing("many"); err != nil {
				t.Error(err)
			}
		})
	}
	if few, many := allocs(1), allocs(5000); many > few {
		t.Errorf("to begin a listing of 5,000 files takes %v allocations, of one %v", many, few)
	}
}

// A listing is a snapshot: files sent, removed and stored meanwhile make no difference.
func TestAListingIsAMoment(t *testing.T) {
	const n = 3*batch + 1
	b := newRig(t, Options{Mode: Writes, WriteBack: time.Hour})
	b.has("d/far", "x")
	b.has("d/sub/far", "x")
	want := []string{"d/far", "d/sub", "d/sub2"}
	b.upload("d/sub/near", "x")
	b.ok(b.Mkdir(t.Context(), "d/sub2"))
	for i := range n {
		name := fmt.Sprint("d/", i)
		b.upload(name, "x")
		want = append(want, name)
	}
	var got []string
	for e, err := range b.List(t.Context(), "d") {
		b.ok(err)
		if got = append(got, "d/"+e.Name); len(got) == 1 {
			b.flush()
			b.ok(b.Remove(t.Context(), "d/0"))
			b.upload("d/new", "x")
		}
	}
	b.want("the listing", got, want)
	if seen := treeOf(t, b.Tree, "d"); len(seen) != len(want)+2 {
		t.Errorf("afterwards %d names are there", len(seen))
	}
}

// A flush of more files than one batch sends exactly the requested ones.
func TestAFlushOfManyFiles(t *testing.T) {
	const n = 2*batch + 1
	b := newRig(t, Options{Mode: Writes, WriteBack: time.Hour, Gate: NewGate(8)})
	for i := range n {
		b.upload(fmt.Sprint("other", i), "x")
		if i == 0 {
			b.ok(b.Mkdir(t.Context(), "d"))
		}
		b.upload(fmt.Sprint("d/", i), "x")
	}
	b.ok(b.Flush(t.Context(), "d"))
	if got := len(treeOf(t, b.inner, ".")); got != n+1 {
		t.Errorf("%d names are on the remote, want %d", got, n+1)
	}
	if q := b.Queue(); len(q) != n || !slices.IsSortedFunc(q, func(a, b Queued) int { return cmp.Compare(a.ID, b.ID) }) {
		t.Errorf("%d changes wait, or in no order", len(q))
	}
	b.flush()
	if w := b.Waiting(); w.Changes != 0 || w.Bytes != 0 {
		t.Errorf("there still wait %+v", w)
	}
}

// Pending changes that have failed are counted as failing.
func TestWhatFailsIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, Options{Mode: Writes})
		defer b.stop()
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, Err: errNetwork})
		for _, name := range []string{"a", "b", "c"} {
			b.upload(name, "x")
		}
		wantFailing := func(n int) {
			t.Helper()
			if w := b.Waiting(); w.Failing != n || errors.Is(w.LastError, errNetwork) != (n > 0) {
				t.Errorf("%+v, want %d", w, n)
			}
		}
		time.Sleep(10 * time.Second) // several attempts
		wantFailing(3)
		b.ok(b.Remove(t.Context(), "a"))
		b.ok(b.Rename(t.Context(), "b", "d"))
		synctest.Wait()
		b.faults.Heal()
		b.flush()
		wantFailing(0)
	})
}
