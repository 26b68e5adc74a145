package writeback

import (
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
)

// The clock of a synctest is decades behind that of this test.
func TestWhatWasStoredWhileTheClockWasAheadIsSent(t *testing.T) {
	d := disktest.New()
	store, err := cache.Open(d, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Add(t.Context(), cache.Record{Kind: cache.Dir, Name: "d"}, cache.Durable); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, Options{Mode: Writes, WriteBack: 5 * time.Second})
		b.stop()
		b.disk = d.Restart(disktest.Nothing())
		b.start()
		b.wantThere()
		if q := b.Queue(); len(q) != 1 || time.Until(q[0].Expiry) > 5*time.Second {
			t.Errorf("it waits: %+v", q)
		}
		b.mu.Lock()
		for _, c := range b.pending.changes.all() {
			if age := time.Since(c.first); age < 0 {
				t.Errorf("it was made in %v", -age)
			}
		}
		b.mu.Unlock()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		b.wantThere("d/")
	})
}
