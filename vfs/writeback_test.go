package vfs

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

func TestAFileIsSentWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: 5 * time.Second})
		defer b.stop()
		b.upload("f", "x")
		time.Sleep(5*time.Second - time.Millisecond)
		synctest.Wait()
		b.wantCalls()
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		b.wantCalls("put f")
		b.wantThere("f=x")
	})
}

func TestAnAttemptThatFailsIsRepeatedLaterAndLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes})
		defer b.stop()
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: 10, Err: errNetwork})
		b.upload("f", "x")
		for tries := 1; tries <= 10; tries++ {
			synctest.Wait()
			q := b.fs.Queue()
			if len(q) != 1 || q[0].Tries != tries || q[0].Uploading || !errors.Is(q[0].LastError, errNetwork) {
				t.Fatalf("after attempt %d: %+v", tries, q)
			}
			longest := min(time.Second<<(tries-1), time.Minute)
			if q[0].Delay < longest/2 || q[0].Delay > longest {
				t.Errorf("after attempt %d the delay is %v", tries, q[0].Delay)
			}
			time.Sleep(q[0].Delay)
		}
		synctest.Wait()
		b.wantThere("f=x")
		if q := b.fs.Queue(); len(q) != 0 {
			t.Errorf("it still waits: %+v", q)
		}
		b.wantLogged("level=WARN", "path=f", "the network is down")
	})
}

func TestWhatIsRefusedForGoodIsKept(t *testing.T) {
	b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
	b.faults.Inject(faulty.Fault{Op: faulty.Put, Name: "f", Times: -1, Err: remote.ErrTooLarge})
	b.upload("f", "x")
	b.upload("g", "y")
	err := b.fs.Flush(t.Context(), ".")
	wantIs(t, err, remote.ErrTooLarge)
	if err == nil || !strings.Contains(err.Error(), "f was refused") {
		t.Errorf("the error does not say what was refused: %v", err)
	}
	b.wantThere("g=y")
	b.wantSeen("f=x", "g=y")
	b.wantLogged("level=ERROR", "path=f", "ferry cache ls")
	lost, err := b.fs.Refused()
	if err != nil || len(lost) != 1 || lost[0].Name != "f" || !strings.Contains(lost[0].Reason, "too large") {
		t.Fatalf("%+v, %v", lost, err)
	}
	b.faults.Heal()
	b.ok(b.fs.RetryRefused(lost[0].ID))
	b.flush()
	b.wantThere("f=x", "g=y")
}

// What was done on the remote directly, or sent meanwhile, is newer than what was refused before.
func TestARetryDoesNotReplaceWhatIsOnTheRemoteSince(t *testing.T) {
	for what, use := range map[string]struct {
		ack    writeback.Ack
		change func(b *rig)
		there  []string
	}{
		"stored":     {writeback.AckRemote, func(b *rig) { b.upload("d/f", "new") }, []string{"d/", "d/f=new", "d/g=g"}},
		"renamed to": {writeback.AckDurable, func(b *rig) { b.ok(b.Rename(b.t.Context(), "d/g", "d/f")) }, []string{"d/", "d/f=g"}},
	} {
		t.Run(what, func(t *testing.T) {
			b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
			b.ok(b.inner.Mkdir(t.Context(), "d"))
			b.upload("d/g", "g")
			b.flush()
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: 1, Err: remote.ErrTooLarge})
			b.upload("d/f", "old")
			wantIs(t, b.fs.Flush(t.Context(), "."), remote.ErrTooLarge)
			b.o.Cache.Ack = use.ack
			b.faults.Inject(faulty.Fault{Op: faulty.Stat, Name: "d/f", Times: -1, Err: errNetwork}) // it is not retried yet
			b.restart()
			use.change(b)
			b.faults.Heal()
			lost, err := b.fs.Refused()
			if err != nil || len(lost) != 1 {
				t.Fatalf("%+v, %v", lost, err)
			}
			wantIs(t, b.fs.RetryRefused(lost[0].ID), remote.ErrExist)
			b.flush()
			b.wantThere(use.there...)
		})
	}
}

func TestWhatSomebodyElseStoredIsLoggedAfterARestartToo(t *testing.T) {
	for _, restart := range []bool{false, true} {
		b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
		b.has("f", "old")
		b.upload("f", "mine")
		b.has("f", "theirs")
		if restart {
			b.restart()
		}
		b.flush()
		b.wantThere("f=mine")
		b.wantLogged("level=WARN", "path=f", "a file was changed on the remote while a newer one waited here")
	}
}

func TestAMissingDirectoryIsMadeAgain(t *testing.T) {
	b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
	b.ok(b.Mkdir(t.Context(), "d"))
	b.ok(b.Mkdir(t.Context(), "d/e"))
	b.upload("d/e/f", "x")
	b.ok(b.inner.Rmdir(t.Context(), "d/e")) // somebody else
	b.ok(b.inner.Rmdir(t.Context(), "d"))
	b.flush()
	b.wantThere("d/", "d/e/", "d/e/f=x")
}

func TestAnUploadThatIsSupersededIsCalledBack(t *testing.T) {
	for what, change := range map[string]func(b *rig){
		"replaced": func(b *rig) { b.upload("f", "new") },
		"renamed":  func(b *rig) { b.ok(b.Rename(b.t.Context(), "f", "g")) },
		"deleted":  func(b *rig) { b.ok(b.Remove(b.t.Context(), "f")) },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(t, writeback.Options{Mode: writeback.Writes})
				defer b.stop()
				b.faults.Inject(faulty.Fault{Op: faulty.Put, Block: true})
				b.upload("f", "old")
				synctest.Wait()
				if q := b.fs.Queue(); len(q) != 1 || !q[0].Uploading {
					t.Fatalf("the upload is not under way: %+v", q)
				}
				change(b)
				b.flush()
				b.wantThere(map[string][]string{"replaced": {"f=new"}, "renamed": {"g=old"}, "deleted": nil}[what]...)
			})
		})
	}
}

// A camera replaces its picture more often than the picture can be sent.
func TestAFileThatIsReplacedAllTheTimeArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: 5 * time.Second})
		defer b.stop()
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Delay: 3 * time.Second, Slow: true, Times: -1})
		arrived := 0
		for i := range 300 {
			b.upload("f", strings.Repeat("x", i+1))
			time.Sleep(2 * time.Second)
			if e, err := b.inner.Stat(t.Context(), "f"); err == nil && e.Size > 0 {
				arrived++
			}
		}
		if arrived < 200 {
			t.Errorf("the file was there at %d of 300 looks", arrived)
		}
	})
}

func TestWhatWasSentIsNotSentAgainAfterARestart(t *testing.T) {
	b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
	b.upload("f", "x")
	b.upload("g", "y")
	info, err := b.Stat(t.Context(), "f")
	b.ok(err)
	b.stop()
	// The process ended between Put and the note of it.
	_, err = b.inner.Put(t.Context(), "f", strings.NewReader("x"), remote.PutOptions{ModTime: info.ModTime()})
	b.ok(err)
	b.start()
	b.flush()
	b.wantCalls("put g")
	b.wantThere("f=x", "g=y")
}

func TestAnOverwriteBehindAWaitingFileIsLogged(t *testing.T) {
	b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
	b.has("f", "old")
	b.upload("f", "near")
	e := b.has("f", "from somebody else")
	b.flush()
	b.wantThere("f=near")
	if e.Version != "" {
		b.wantLogged("level=WARN", "path=f", e.Version)
	}
}

func TestNothingIsLostWhileTheRemoteIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Second, Gate: writeback.NewGate(2)})
		defer b.stop()
		b.has("d/old", "old")
		b.has("there", "before")
		b.wantSeen("d/", "d/old=old", "there=before") // lists everything
		b.faults.Inject(faulty.Fault{Times: -1, Err: errNetwork})
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, Err: errNetwork})
		time.Sleep(10 * time.Minute) // what is known grows old
		ctx := t.Context()
		b.upload("new", "x")
		b.upload("there", "after")
		b.upload("tmp", "y")
		b.ok(b.Rename(ctx, "tmp", "d/final"))
		b.upload("gone", "z")
		b.ok(b.Remove(ctx, "gone"))
		b.ok(b.Mkdir(ctx, "made"))
		b.upload("made/f", "in it")
		b.ok(b.Remove(ctx, "d/old"))
		time.Sleep(time.Hour)
		var seen []string
		for info, err := range b.List(ctx, ".") {
			b.ok(err)
			seen = append(seen, info.Name())
		}
		b.want("the root", seen, []string{"d", "made", "new", "there"})
		b.wrote.take()
		b.faults.Heal()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		// What the remote had under the names that are gone again, nobody could know.
		b.wantCalls("put new", "put there", "put d/final", "mkdir made", "put made/f", "remove gone", "remove tmp", "remove d/old")
		b.wantThere("d/", "d/final=y", "there=after", "new=x", "made/", "made/f=in it")
	})
}

func TestAChangeThatNeedsTheRemoteFailsWhenItIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
		defer b.stop()
		b.has("d/f", "far")
		b.upload("d/g", "near")
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, Err: errNetwork})
		wantIs(t, b.Rename(t.Context(), "d", "e"), errNetwork)
		b.wantSeen("d/", "d/f=far", "d/g=near")
		b.faults.Heal()
		b.ok(b.Rename(t.Context(), "d", "e"))
		b.wantThere("e/", "e/f=far", "e/g=near")
	})
}

func TestTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Minute})
		defer b.stop()
		b.upload("a", "12345")
		b.upload("b", "123")
		q := b.fs.Queue()
		if len(q) != 2 || q[0].Name != "a" || q[0].Size != 5 || q[0].Kind != cache.File || q[1].Name != "b" {
			t.Fatalf("%+v", q)
		}
		if d := time.Until(q[0].Expiry); d <= 0 || d > time.Minute {
			t.Errorf("it is due in %v", d)
		}
		if w := b.fs.Waiting(); w.Changes != 2 || w.Bytes != 8 {
			t.Errorf("%+v", w)
		}
		b.ok(b.fs.SetExpiry(q[1].ID, 0, false))
		b.ok(b.fs.SetExpiry(q[0].ID, time.Hour, true))
		wantIs(t, b.fs.SetExpiry(12345, 0, false), remote.ErrNotExist)
		synctest.Wait()
		b.wantThere("b=123")
		if d := time.Until(b.fs.Queue()[0].Expiry); d < time.Hour {
			t.Errorf("it is due in %v", d)
		}
		var reports []writeback.Waiting
		b.ok(writeback.Drain(t.Context(), b.fs, time.Second, func(w writeback.Waiting) { reports = append(reports, w) }))
		if len(reports) == 0 || reports[0].Changes > 1 {
			t.Errorf("%+v", reports)
		}
		b.wantThere("a=12345", "b=123")
	})
}

func TestFlushOfAPathLeavesTheRest(t *testing.T) {
	b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
	b.ok(b.Mkdir(t.Context(), "d"))
	b.upload("d/f", "x")
	b.upload("e", "y")
	b.ok(b.fs.Flush(t.Context(), "d"))
	b.wantThere("d/", "d/f=x")
}

func TestAFileIsContinuedWhileItIsSent(t *testing.T) {
	b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
	b.upload("f", "one")
	u, err := b.Create(t.Context(), "f", AtEnd)
	b.ok(err)
	_, err = io.WriteString(u, " two")
	b.ok(err)
	b.flush() // the beginning reaches the remote meanwhile
	b.ok(u.Commit(t.Context()))
	b.flush()
	b.wantThere("f=one two")

	u, err = b.Create(t.Context(), "f", AtEnd)
	b.ok(err)
	b.upload("f", "another")
	wantIs(t, u.Commit(t.Context()), remote.ErrChanged)
	u.Abort()
	b.flush()
	b.wantThere("f=another")
}

func TestAcknowledgedByTheRemote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes, Ack: writeback.AckRemote})
		defer b.stop()
		b.upload("f", "old")
		b.wantThere("f=old")
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: 2, Err: errNetwork})
		b.upload("f", "new") // on the third attempt
		b.wantThere("f=new")
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, Err: remote.ErrQuota})
		wantIs(t, b.trySend("g", "half", 0), remote.ErrQuota)
		b.faults.Heal()
		info, err := b.Stat(t.Context(), "g")
		b.ok(err)
		if info.Size() != 4 {
			t.Errorf("the part has %d bytes", info.Size())
		}
		b.send("g", " and half", 4)
		b.wantThere("f=new", "g=half and half")
		if n := len(b.store.Pending()); n != 0 {
			t.Errorf("%d records wait", n)
		}
	})
}
