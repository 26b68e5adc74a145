package vfs

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// refusedRig has a file "d/f" that was acknowledged and refused, over one that the remote has where
// old is given.
func refusedRig(t *testing.T, old string) *rig {
	t.Helper()
	b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
	b.has("d/g", "g")
	if old != "" {
		b.has("d/f", old)
	}
	b.faults.Inject(faulty.Fault{Op: faulty.Put, Name: "d/f", Times: -1, Err: remote.ErrTooLarge})
	b.upload("d/f", "refused")
	wantIs(t, b.fs.Flush(t.Context(), "."), remote.ErrTooLarge)
	return b
}

func (b *rig) lost() int {
	b.t.Helper()
	lost, err := b.fs.Refused()
	b.ok(err)
	return len(lost)
}

// A client that looks after 226 finds what it has sent.
func TestWhatWasRefusedIsShown(t *testing.T) {
	for _, old := range []string{"", "old"} {
		b := refusedRig(t, old)
		check := func(when string) {
			t.Helper()
			info, err := b.Stat(t.Context(), "d/f")
			b.ok(err)
			if info.Size() != 7 {
				t.Errorf("%s: it has %d bytes", when, info.Size())
			}
			b.wantSeen("d/", "d/f=refused", "d/g=g")
			r, err := b.Open(t.Context(), "d/f", 3)
			b.ok(err)
			rest, err := io.ReadAll(r)
			b.ok(errors.Join(err, r.Close()))
			if string(rest) != "used" {
				t.Errorf("%s: from 3 on it has %q", when, rest)
			}
			if w := b.fs.Waiting(); w.Changes != 0 || w.Bytes != 0 || len(b.fs.Queue()) != 0 {
				t.Errorf("%s: it waits: %+v", when, w)
			}
			wantIs(t, b.Rmdir(t.Context(), "d"), remote.ErrNotEmpty)
			b.flush() // it is in nobody's way
		}
		check("at once")
		b.faults.Inject(faulty.Fault{Op: faulty.Stat, Name: "d/f", Times: -1, Err: errNetwork}) // it is not retried yet
		b.restart()
		check("after a restart")
	}
}

func TestWhatWasRefusedIsChangedAsAnyFile(t *testing.T) {
	for what, use := range map[string]struct {
		change func(b *rig) error
		seen   []string // there too, when all is sent
	}{
		"deleted":      {func(b *rig) error { return b.Remove(b.t.Context(), "d/f") }, []string{"d/", "d/g=g"}},
		"replaced":     {func(b *rig) error { return b.trySend("d/f", "new", 0) }, []string{"d/", "d/f=new", "d/g=g"}},
		"continued":    {func(b *rig) error { return b.trySend("d/f", "!", AtEnd) }, []string{"d/", "d/f=refused!", "d/g=g"}},
		"renamed":      {func(b *rig) error { return b.Rename(b.t.Context(), "d/f", "h") }, []string{"d/", "d/g=g", "h=refused"}},
		"renamed over": {func(b *rig) error { return b.Rename(b.t.Context(), "d/f", "d/g") }, []string{"d/", "d/g=refused"}},
		"renamed to":   {func(b *rig) error { return b.Rename(b.t.Context(), "d/g", "d/f") }, []string{"d/", "d/f=g"}},
		"given a time": {func(b *rig) error { return b.SetModTime(b.t.Context(), "d/f", time.Unix(1, 0)) }, []string{"d/", "d/f=refused", "d/g=g"}},
		"moved with d": {func(b *rig) error { return b.Rename(b.t.Context(), "d", "e") }, []string{"e/", "e/f=refused", "e/g=g"}},
	} {
		for _, old := range []string{"", "old"} {
			for when, before := range map[string]func(b *rig){"": func(*rig) {}, " after a restart": func(b *rig) {
				b.faults.Inject(faulty.Fault{Op: faulty.Stat, Name: "d/f", Times: 1, Err: errNetwork}) // it is not retried yet
				b.restart()
				for b.faults.Calls(faulty.Stat) == 0 {
					time.Sleep(time.Millisecond)
				}
			}} {
				t.Run(what+when+" "+old, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						b := refusedRig(t, old)
						defer func() { b.stop() }()
						before(b)
						synctest.Wait()
						b.faults.Heal()
						b.ok(use.change(b))
						b.wantSeen(use.seen...)
						b.flush()
						b.wantSeen(use.seen...)
						b.wantThere(use.seen...)
						if n := b.lost(); n > 1 || n == 1 && what != "renamed to" {
							t.Errorf("%d are refused", n)
						}
					})
				})
			}
		}
	}
}

func TestADirectoryOfWhatWasRefusedAloneIsRenamed(t *testing.T) {
	b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
	b.has("d/g", "g")
	b.faults.Inject(faulty.Fault{Op: faulty.Put, Name: "d/f", Times: -1, Err: remote.ErrTooLarge})
	b.upload("d/f", "refused")
	wantIs(t, b.fs.Flush(t.Context(), "."), remote.ErrTooLarge)
	b.ok(b.inner.Remove(t.Context(), "d/g")) // somebody else
	b.ok(b.inner.Rmdir(t.Context(), "d"))
	b.ok(b.Rename(t.Context(), "d", "e"))
	b.wantSeen("e/", "e/f=refused")
	b.flush()
	b.wantThere("e/", "e/f=refused")
}

func TestWhatWasRefusedIsTriedOnceMoreAtEachStart(t *testing.T) {
	for _, old := range []string{"", "old"} {
		synctest.Test(t, func(t *testing.T) {
			b := refusedRig(t, old)
			defer func() { b.stop() }()
			b.wrote.take()
			b.restart()
			time.Sleep(time.Minute)
			synctest.Wait()
			b.wantCalls("put d/f") // once
			b.wantSeen("d/", "d/f=refused", "d/g=g")
			if b.lost() != 1 {
				t.Errorf("%d are refused", b.lost())
			}
			b.faults.Heal()
			b.restart()
			time.Sleep(time.Minute)
			synctest.Wait()
			b.wantThere("d/", "d/f=refused", "d/g=g")
			if b.lost() != 0 {
				t.Errorf("%d are refused", b.lost())
			}
		})
	}
}

// What somebody else has stored since is not replaced by itself.
func TestWhatWasRefusedDoesNotReplaceWhatIsThereSince(t *testing.T) {
	for _, old := range []string{"", "old"} {
		synctest.Test(t, func(t *testing.T) {
			b := refusedRig(t, old)
			defer func() { b.stop() }()
			b.stop()
			b.faults.Heal()
			b.has("d/f", "somebody else's")
			b.start()
			time.Sleep(time.Minute)
			synctest.Wait()
			b.wantThere("d/", "d/f=somebody else's", "d/g=g")
			b.wantSeen("d/", "d/f=somebody else's", "d/g=g")
			b.wantLogged("level=WARN", "path=d/f", "ferry cache ls")
			lost, err := b.fs.Refused()
			b.ok(err)
			if len(lost) != 1 {
				t.Fatalf("%+v", lost)
			}
			b.ok(b.fs.RetryRefused(lost[0].ID)) // the administrator decides
			b.flush()
			b.wantThere("d/", "d/f=refused", "d/g=g")
		})
	}
}

// The remote cannot be asked at the start: it is when it answers.
func TestTheRetryAtTheStartWaitsForTheRemote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := refusedRig(t, "")
		defer func() { b.stop() }()
		b.stop()
		b.faults.Heal()
		for _, op := range []faulty.Op{faulty.Stat, faulty.Put, faulty.List} {
			b.faults.Inject(faulty.Fault{Op: op, Times: -1, Err: remote.ErrPermission})
		}
		b.start()
		time.Sleep(time.Hour)
		if b.lost() != 1 {
			t.Errorf("%d are refused", b.lost())
		}
		b.faults.Heal()
		time.Sleep(maxDelay)
		synctest.Wait()
		b.wantThere("d/", "d/f=refused", "d/g=g")
	})
}

// What else has its name goes on being shown.
func TestWhatWasRefusedForWhatIsThereIsNotShown(t *testing.T) {
	for name, want := range map[string][]string{"f": {"f/", "f/g=x"}, "f/g/h": {"f/", "f/g=x"}} {
		for _, again := range []bool{false, true} {
			b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
			answer := remote.ErrIsDir
			if strings.Contains(name, "/") {
				answer = remote.ErrNotDir
				b.ok(b.inner.Mkdir(t.Context(), "f"))
				b.ok(b.inner.Mkdir(t.Context(), "f/g")) // as it was when the file came
			}
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Name: name, Times: -1, Err: answer})
			b.upload(name, "refused")
			if strings.Contains(name, "/") {
				b.ok(b.inner.Rmdir(t.Context(), "f/g"))
			}
			b.has("f/g", "x")
			wantIs(t, b.fs.Flush(t.Context(), "."), answer)
			b.fs.Forget()
			b.faults.Heal()
			if again {
				b.restart()
			}
			b.wantSeen(want...)
			if b.lost() != 1 {
				t.Errorf("%d are refused", b.lost())
			}
			b.stop()
		}
	}
}

func TestWhatWasRefusedCanBeDropped(t *testing.T) {
	b := refusedRig(t, "old")
	lost, err := b.fs.Refused()
	b.ok(err)
	b.ok(b.fs.DropRefused(lost[0].ID))
	b.wantSeen("d/", "d/f=old", "d/g=g")
	wantIs(t, b.fs.DropRefused(lost[0].ID), remote.ErrNotExist)
	wantIs(t, b.fs.RetryRefused(lost[0].ID), remote.ErrNotExist)
	b.restart()
	b.wantSeen("d/", "d/f=old", "d/g=g")
}

// Nobody holds on to a claim that is gone.
func TestAFlushDoesNotWaitForWhatWasRefused(t *testing.T) {
	b := refusedRig(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	b.ok(b.fs.Flush(ctx, "d/f"))
	b.ok(b.fs.Flush(ctx, "."))
}
