package vfs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// slowly makes a rig whose remote takes 12 seconds for each file called big and a number, and has n
// of them sent.
func slowly(t *testing.T, transfers, n int) *rig {
	t.Helper()
	b := newRig(t, writeback.Options{Mode: writeback.Writes, Gate: writeback.NewGate(transfers)})
	for i := range n {
		name := fmt.Sprint("big", i)
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Name: name, Times: -1, Delay: 12 * time.Second, Slow: true})
		b.upload(name, strings.Repeat("x", 2<<20))
	}
	synctest.Wait()
	return b
}

// underWay returns which files are being sent, in order of their names.
func (b *rig) underWay() []string {
	var names []string
	for _, q := range b.fs.Queue() {
		if q.Uploading {
			names = append(names, q.Name)
		}
	}
	slices.Sort(names)
	return names
}

func TestWhatIsSmallDoesNotWaitBehindLargeFiles(t *testing.T) {
	for _, transfers := range []int{2, 4, 8} {
		t.Run(fmt.Sprint(transfers, " transfers"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := slowly(t, transfers, transfers+1)
				defer b.stop()
				if got, want := len(b.underWay()), transfers-max(1, transfers/4); got != want {
					t.Errorf("%d large files are being sent, want %d", got, want)
				}
				b.upload("small", "x")
				b.ok(b.Mkdir(t.Context(), "dir"))
				synctest.Wait()
				b.wantThere("dir/", "small=x")
				b.flush()
				if got := len(treeOf(t, b.inner, ".")); got != transfers+3 {
					t.Errorf("%d names are there", got)
				}
			})
		})
	}
}

func TestWhatSomebodyWaitsForTakesTheReservedTransfer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := slowly(t, 4, 5)
		defer b.stop()
		if got := b.underWay(); len(got) != 3 || slices.Contains(got, "big4") {
			t.Fatalf("%q are being sent", got)
		}
		done := make(chan error)
		go func() { done <- b.fs.Flush(t.Context(), "big4") }()
		synctest.Wait()
		if got := b.underWay(); len(got) != 4 || !slices.Contains(got, "big4") {
			t.Errorf("%q are being sent", got)
		}
		b.ok(<-done)
	})
}

func TestOneTransferSendsLargeFilesToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := slowly(t, 1, 2)
		defer b.stop()
		time.Sleep(24 * time.Second)
		synctest.Wait()
		if got := treeOf(t, b.inner, "."); len(got) != 2 {
			t.Errorf("after 24 seconds %d files are there", len(got))
		}
	})
}

// Of what a flush sends, what is small goes first: a client that waits for all of it does not mind,
// others do.
func TestAFlushSendsWhatIsSmallFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes, Gate: writeback.NewGate(4), WriteBack: time.Hour})
		defer b.stop()
		for i := range 4 {
			name := fmt.Sprint("big", i)
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Name: name, Times: -1, Delay: 12 * time.Second, Slow: true})
			b.upload(name, strings.Repeat("x", 2<<20))
		}
		b.upload("small", "x")
		done := make(chan error)
		go func() { done <- b.fs.Flush(t.Context(), ".") }()
		time.Sleep(time.Second)
		synctest.Wait()
		b.wantThere("small=x")
		b.ok(<-done)
	})
}
