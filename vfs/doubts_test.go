package vfs

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// late makes the next call of op one that is not answered, and arrives when Deliver is called.
func (b *rig) late(op faulty.Op) {
	b.faults.Inject(faulty.Fault{Op: op, Delayed: true, Err: errNetwork})
}

// deliver lets what is under way arrive, and checks that something was.
func (b *rig) deliver() {
	b.t.Helper()
	if b.faults.Deliver() == 0 {
		b.t.Error("nothing was under way")
	}
}

// settle waits until no change is looked at any more.
func (b *rig) settle() {
	b.t.Helper()
	time.Sleep(doubtWindow + time.Minute)
	if w := b.fs.Waiting(); w.Changes > 0 {
		b.t.Errorf("%d changes still wait, the last error is %v", w.Changes, w.LastError)
	}
}

// kill ends the process without a warning; the disk loses nothing.
func (b *rig) kill() {
	b.t.Helper()
	after := b.disk.Restart(disktest.Nothing())
	b.mayFail = true
	b.stop()
	b.disk = after
	b.start()
	b.mayFail = false
}

// TestWhatArrivesLateIsUndone sends a change whose answer is lost, has it superseded, and lets it
// arrive.
func TestWhatArrivesLateIsUndone(t *testing.T) {
	tests := []struct {
		name   string
		op     faulty.Op
		before func(b *rig) // is sent, and not answered
		after  func(b *rig)
		want   []string
	}{
		{
			"an upload, after another one", faulty.Put,
			func(b *rig) { b.upload("a", "old") },
			func(b *rig) { b.upload("a", "new") },
			[]string{"a=new"},
		},
		{
			"an upload, after one as long", faulty.Put,
			func(b *rig) { b.upload("a", "1111") },
			func(b *rig) { b.upload("a", "2222") },
			[]string{"a=2222"},
		},
		{
			"an upload, after its removal", faulty.Put,
			func(b *rig) { b.upload("a", "old") },
			func(b *rig) { b.ok(b.Remove(b.t.Context(), "a")) },
			nil,
		},
		{
			"an upload, after its file got another name", faulty.Put,
			func(b *rig) { b.upload("a", "old") },
			func(b *rig) { b.ok(b.Rename(b.t.Context(), "a", "b")) },
			[]string{"b=old"},
		},
		{
			"an upload, after its file got another name and there is a new one", faulty.Put,
			func(b *rig) { b.upload("a", "old") },
			func(b *rig) {
				b.ok(b.Rename(b.t.Context(), "a", "b"))
				b.flush()
				b.upload("a", "new")
			},
			[]string{"a=new", "b=old"},
		},
		{
			"a removal, after a new upload", faulty.Remove,
			func(b *rig) {
				b.upload("a", "first")
				b.flush()
				_ = b.Remove(b.t.Context(), "a")
			},
			func(b *rig) { b.upload("a", "new") },
			[]string{"a=new"},
		},
	}
	for _, mode := range []writeback.Mode{writeback.Writes, writeback.Full} {
		for _, life := range []struct {
			name string
			end  func(b *rig)
		}{
			{"in one process", func(*rig) {}},
			{"over a restart", (*rig).restart},
			{"over a kill", (*rig).kill},
		} {
			for _, test := range tests {
				name := []string{"minimal", "writes", "full"}[mode] + ", " + test.name + ", " + life.name
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						b := newRig(t, writeback.Options{Mode: mode, Gate: writeback.NewGate(4)})
						defer func() { b.stop() }()
						b.late(test.op)
						test.before(b)
						synctest.Wait()
						life.end(b)
						test.after(b)
						b.flush()
						b.wantThere(test.want...)
						b.deliver()
						b.settle()
						b.wantThere(test.want...)
						b.wantSeen(test.want...)
					})
				})
			}
		}
	}
}

// The request was sent once, not answered, and answered when it was repeated. Its doubt outlives
// the record.
func TestADoubtOutlivesWhatItWasAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes})
		defer func() { b.stop() }()
		b.late(faulty.Put)
		b.upload("a", "old")
		b.flush()
		time.Sleep(time.Minute)
		b.restart()
		b.upload("a", "new")
		b.flush()
		b.deliver()
		b.wantThere("a=old")
		b.settle()
		b.wantThere("a=new")
		b.wantLogged("arrived late", "path=a")
	})
}

// A request that is under way when the process is killed is in doubt, though nobody could note so
// any more.
func TestWhatWasUnderWayAtAKillIsInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes})
		defer func() { b.stop() }()
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Delayed: true, Delay: time.Hour, Err: errNetwork})
		b.upload("a", "old")
		synctest.Wait()
		b.kill()
		b.ok(b.Remove(t.Context(), "a"))
		b.flush()
		b.wantThere()
		b.deliver()
		b.settle()
		b.wantThere()
	})
}

// Where nothing was lost, nothing is looked at again.
func TestNoDoubtCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes})
		defer func() { b.stop() }()
		b.upload("a", "1")
		b.flush()
		b.upload("a", "2")
		b.flush()
		b.ok(b.Remove(t.Context(), "a"))
		b.flush()
		if w := b.fs.Waiting(); w.Changes != 0 {
			t.Errorf("%d changes wait", w.Changes)
		}
		asked := b.faults.Calls(faulty.Stat)
		time.Sleep(2 * doubtWindow)
		if calls := b.faults.Calls(faulty.Stat) - asked; calls > 0 {
			t.Errorf("the remote was asked %d times what it has", calls)
		}
		for e := range b.disk.ReadDir("doubt") {
			t.Errorf("doubt/%s is left", e.Name())
		}
	})
}

// What cannot be repeated waits, for a time that a client can live with.
func TestADirectChangeWaitsForADoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes, Ack: writeback.AckRemote})
		defer func() { b.stop() }()
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Delayed: true, Until: 5 * time.Second, Err: errNetwork})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		u, err := b.Create(t.Context(), "a", 0)
		b.ok(err)
		_, err = u.Write([]byte("old"))
		b.ok(err)
		if err := u.Commit(ctx); err == nil {
			t.Fatal("it was answered")
		}
		u.Abort()
		start := time.Now()
		b.upload("a", "new")
		if took := time.Since(start); took < 5*time.Second || took > doubtPause {
			t.Errorf("it took %v", took)
		}
		time.Sleep(time.Minute)
		b.wantThere("a=new")
	})
}

// Size and time do not tell whether a content was sent before the process died.
func TestARestartDoesNotTakeAnotherContentForItsOwn(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, digests := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := newRig(t, writeback.Options{Mode: writeback.Writes})
			defer func() { b.stop() }()
			if !digests {
				b.faults.Inject(faulty.Fault{Op: faulty.Hash, Times: -1, Err: remote.ErrUnsupported})
			}
			b.upload("a", strings.Repeat("1", 100))
			b.ok(b.SetModTime(t.Context(), "a", when))
			b.flush()
			b.restart()
			b.o.Cache.WriteBack = time.Hour
			b.restart()
			b.upload("a", strings.Repeat("2", 100))
			b.ok(b.SetModTime(t.Context(), "a", when))
			b.o.Cache.WriteBack = 0
			b.kill()
			b.flush()
			b.settle()
			b.wantThere("a=" + strings.Repeat("2", 100))
		})
	}
}

// Without a cache nothing can be repeated: what follows waits for a while, and what arrives within
// that time does no harm.
func TestWithoutACacheAChangeWaitsForADoubt(t *testing.T) {
	tests := []struct {
		name  string
		op    faulty.Op
		first func(ctx context.Context, b *rig) error
		next  func(ctx context.Context, b *rig) error
		want  []string
	}{
		{
			"an upload, then another", faulty.Put,
			func(_ context.Context, b *rig) error { return b.trySend("d/a", "old", 0) },
			func(_ context.Context, b *rig) error { return b.trySend("d/a", "new", 0) },
			[]string{"d/", "d/a=new", "d/b=b"},
		},
		{
			"an upload, then its removal", faulty.Put,
			func(_ context.Context, b *rig) error { return b.trySend("d/b", "old", 0) },
			func(ctx context.Context, b *rig) error { return b.Remove(ctx, "d/b") },
			[]string{"d/"},
		},
		{
			"a removal, then an upload", faulty.Remove,
			func(ctx context.Context, b *rig) error { return b.Remove(ctx, "d/b") },
			func(_ context.Context, b *rig) error { return b.trySend("d/b", "new", 0) },
			[]string{"d/", "d/b=new"},
		},
		{
			"an upload, then a rename of its file", faulty.Put,
			func(_ context.Context, b *rig) error { return b.trySend("d/b", "new", 0) },
			func(ctx context.Context, b *rig) error { return b.Rename(ctx, "d/b", "c") },
			[]string{"c=new", "d/"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(t, writeback.Options{Mode: writeback.Writes})
				defer func() { b.stop() }()
				b.has("d/b", "b")
				o := b.o
				o.Cache = writeback.Options{}
				direct := New(noStage{b.wrote}, o)
				defer direct.Close()
				b.View = direct.View("bob")
				b.faults.Inject(faulty.Fault{Op: test.op, Delayed: true, Until: 5 * time.Second, Err: errNetwork})
				if test.first(t.Context(), b) == nil {
					t.Fatal("it was answered")
				}
				b.ok(test.next(t.Context(), b))
				time.Sleep(time.Minute)
				b.wantThere(test.want...)
			})
		})
	}
}

// noStage is a remote that takes whole files only.
type noStage struct{ remote.Remote }
