package writeback

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/remote/wrap/faulty"
)

// A call goes on after its client has got the answer that its change waits, and counts as an
// attempt of that. An older change that becomes due meanwhile waits for the end of the call, and
// must not wait for the newer one, which waits for it.
func TestAnOlderChangeGoesOnWhenALateCallHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, Options{Mode: Writes, Gate: NewGate(2)})
		defer func() { b.stop() }()
		if err := b.Mkdir(t.Context(), "d"); err != nil {
			t.Fatal(err)
		}
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Err: errNetwork, Times: 1})
		b.upload("d/f", "content")
		synctest.Wait()

		rec, err := b.store.Add(t.Context(), cache.Record{Kind: cache.RemovedDir, Name: "d"}, b.durability())
		if err != nil {
			t.Fatal(err)
		}
		answer := make(chan error)
		k := newKept(rec)
		b.enqueueRecord(k, ask(t.Context(), func(context.Context) error { return <-answer }))
		b.expedite("d/f")
		synctest.Wait()
		answer <- errNetwork
		time.Sleep(time.Hour)
		if w := b.Waiting(); w.Changes > 0 {
			t.Errorf("%d changes wait: %v", w.Changes, w.LastError)
		}
	})
}
