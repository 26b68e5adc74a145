package vfs

import (
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// The time of a file is set while the file is being sent, so that it is sent after it. A remote
// that falls silent then does not hold up who changes the file again.
func TestASilentRemoteWhoseFileGetsATimeHoldsNobodyUp(t *testing.T) {
	for name, change := range map[string]func(b *rig) error{
		"a file":     func(b *rig) error { return b.trySend("f", "new", 0) },
		"a time":     func(b *rig) error { return b.SetModTime(b.t.Context(), "f", time.Unix(2e8, 0)) },
		"a rename":   func(b *rig) error { return b.Rename(b.t.Context(), "f", "g") },
		"a deletion": func(b *rig) error { return b.Remove(b.t.Context(), "f") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(t, writeback.Options{Mode: writeback.Writes, Gate: writeback.NewGate(4)})
				b.faults.Inject(faulty.Fault{Op: faulty.Put, Delay: 2 * time.Second, Slow: true})
				b.faults.Inject(faulty.Fault{Op: faulty.SetModTime, Delay: time.Hour, Err: errNetwork})
				b.upload("f", "old")
				time.Sleep(time.Second)
				b.ok(b.SetModTime(t.Context(), "f", time.Unix(1e8, 0)))
				time.Sleep(2 * time.Second)
				began := time.Now()
				b.ok(change(b))
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
				b.flush()
				switch e, err := b.inner.Stat(t.Context(), "f"); {
				case name == "a file" && (err != nil || e.Size != 3):
					t.Errorf("%+v, %v", e, err)
				case name == "a time" && (err != nil || !e.ModTime.Equal(time.Unix(2e8, 0))):
					t.Errorf("%+v, %v", e, err)
				case (name == "a rename" || name == "a deletion") && err == nil:
					t.Error("it is still there")
				}
				if name == "a rename" {
					if e, err := b.inner.Stat(t.Context(), "g"); err != nil || !e.ModTime.Equal(time.Unix(1e8, 0)) {
						t.Errorf("%+v, %v", e, err)
					}
				}
			})
		})
	}
}

// Others remove the file between its content and its time: it stays removed, and nothing waits.
func TestTheTimeOfAFileThatOthersRemovedIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes, Gate: writeback.NewGate(4)})
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Delay: 2 * time.Second, Slow: true})
		b.faults.Inject(faulty.Fault{Op: faulty.SetModTime, Delay: 2 * time.Second, Slow: true})
		b.upload("f", "old")
		time.Sleep(time.Second)
		b.ok(b.SetModTime(t.Context(), "f", time.Unix(1e8, 0)))
		time.Sleep(2 * time.Second)
		b.ok(b.inner.Remove(t.Context(), "f"))
		time.Sleep(time.Minute)
		if waits := b.fs.Waiting().Changes; waits > 0 {
			t.Errorf("%d changes wait", waits)
		}
		if e, err := b.inner.Stat(t.Context(), "f"); err == nil {
			t.Errorf("it is there again: %+v", e)
		}
	})
}
