package vfs

import (
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// A file that is set aside is not sent, whatever the remote does, nor after a restart. It is kept,
// and can be tried again or dropped.
func TestSetAside(t *testing.T) {
	for what, fault := range map[string]error{"the remote answers": nil, "the remote is away": errNetwork} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
				defer func() { b.stop() }()
				b.has("d/f", "old")
				b.upload("d/f", "new content")
				b.upload("d/g", "g")
				if fault != nil {
					for _, op := range []faulty.Op{faulty.Put, faulty.Stage, faulty.Stat} {
						b.faults.Inject(faulty.Fault{Op: op, Name: "d/f", Times: -1, Err: fault})
					}
				}
				id := queued(b, "d/f").ID
				b.ok(b.fs.SetAside(id))
				synctest.Wait()
				time.Sleep(time.Minute)
				lost, err := b.fs.Refused()
				b.ok(err)
				if len(lost) != 1 || lost[0].Name != "d/f" || !strings.Contains(lost[0].Reason, "set aside") {
					t.Fatalf("refused are %+v", lost)
				}
				if w := b.fs.Waiting(); w.Changes != 1 {
					t.Errorf("%d changes wait", w.Changes)
				}
				wantIs(t, b.fs.SetAside(id), fs.ErrNotExist)
				b.restart()
				time.Sleep(2 * time.Hour)
				b.faults.Heal()
				b.flush()
				b.wantThere("d/", "d/f=old", "d/g=g")
				b.ok(b.fs.RetryRefused(lost[0].ID))
				b.flush()
				b.wantThere("d/", "d/f=new content", "d/g=g")
			})
		})
	}
}

// What is no file cannot be set aside: its order matters to what comes after it.
func TestOnlyFilesAreSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
		defer func() { b.stop() }()
		b.has("f", "f")
		b.upload("f", "new")
		b.ok(b.Remove(t.Context(), "f"))
		wantIs(t, b.fs.SetAside(queued(b, "f").ID), fs.ErrNotExist)
		b.flush()
		b.wantThere()
	})
}

func queued(b *rig, name string) writeback.Queued {
	b.t.Helper()
	for _, q := range b.fs.Queue() {
		if q.Name == name {
			return q
		}
	}
	b.t.Fatalf("%s does not wait", name)
	return writeback.Queued{}
}
