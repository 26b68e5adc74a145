package vfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/ftp"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// A complaint is what users of servers like this one report about uploads and disk caches, as the
// sentence that holds here.
type complaint struct {
	sentence string
	check    func(t *testing.T)
	by       string // the test that shows it, where there is one under another name
}

// TestComplaintsAboutServersLikeThisOne has a subtest for each complaint. Time is virtual.
func TestComplaintsAboutServersLikeThisOne(t *testing.T) {
	tests := testsHere(t)
	for _, all := range [][]complaint{aboutWriting(), aboutOrder(), aboutReading(), aboutRoom(), aboutDirectories(), aboutParts()} {
		for _, c := range all {
			t.Run(c.sentence, func(t *testing.T) {
				if c.by != "" {
					if !strings.Contains(tests, "func "+c.by+"(t *testing.T)") {
						t.Errorf("there is no test %s", c.by)
					}
					return
				}
				synctest.Test(t, c.check)
			})
		}
	}
}

// testsHere returns the text of the tests of this package, and of those below it that a complaint
// may be about.
func testsHere(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	below, belowErr := filepath.Glob("../dircache/*_test.go")
	reading, readingErr := filepath.Glob("../readahead/*_test.go")
	if err := errors.Join(err, belowErr, readingErr); err != nil {
		t.Fatal(err)
	}
	files = append(append(files, below...), reading...)
	var text strings.Builder
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b)
	}
	return text.String()
}

// inEachMode is a check in each mode, with what waits sent later, and with the remote to confirm it
// before the reply.
func inEachMode(check func(b *rig)) func(t *testing.T) {
	return func(t *testing.T) {
		for _, mode := range []writeback.Mode{writeback.Minimal, writeback.Writes, writeback.Full} {
			for _, ack := range []writeback.Ack{writeback.AckDurable, writeback.AckSpooled, writeback.AckRemote} {
				b := newRig(t, writeback.Options{Mode: mode, Ack: ack, WriteBack: time.Hour})
				check(b)
				b.stop()
				if t.Failed() {
					t.Fatalf("this was mode %d, acknowledgement %d", mode, ack)
				}
			}
		}
	}
}

// inMode is a check in one mode, with what waits sent after that time.
func inMode(mode writeback.Mode, writeBack time.Duration, check func(b *rig)) func(t *testing.T) {
	return func(t *testing.T) {
		check(newRig(t, writeback.Options{Mode: mode, WriteBack: writeBack, Gate: writeback.NewGate(2)}))
	}
}

// waiting is a check in mode writes, in which nothing is sent by itself.
func waiting(check func(b *rig)) func(t *testing.T) {
	return inMode(writeback.Writes, time.Hour, check)
}

// reads checks what a client gets who reads name from off on.
func (b *rig) reads(name string, off int64, want string) {
	b.t.Helper()
	r, err := b.Open(b.t.Context(), name, off)
	if err != nil {
		b.t.Errorf("open %s: %v", name, err)
		return
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != want {
		b.t.Errorf("%s from %d has %.40q (%d bytes), %v; want %.40q (%d bytes)", name, off, got, len(got), err, want, len(want))
	}
}

// begin begins an upload that is not complete.
func (b *rig) begin(name, content string, off int64) ftp.Upload {
	b.t.Helper()
	u, err := b.Create(b.t.Context(), name, off)
	b.ok(err)
	_, err = io.WriteString(u, content)
	b.ok(err)
	return u
}

// crash ends the process without a warning; the disk loses what loss says.
func (b *rig) crash(loss disktest.Loss) {
	b.t.Helper()
	after := b.disk.Restart(loss)
	b.stop() // what it still does on the old disk nobody sees
	b.disk = after
	b.start()
}

func aboutWriting() []complaint {
	return []complaint{
		{sentence: "APPE appends", check: inEachMode(func(b *rig) {
			b.has("f", "one")
			b.send("f", " two", AtEnd)
			b.send("f", " three", AtEnd)
			b.begin("f", " four", AtEnd).Abort()
			b.reads("f", 0, "one two three")
			b.flush()
			b.wantThere("f=one two three")
		})},
		{sentence: "an upload over an existing file does not destroy the old one first", check: inEachMode(func(b *rig) {
			b.has("f", "old")
			u := b.begin("f", "half", 0)
			b.reads("f", 0, "old")
			u.Abort()
			b.flush()
			b.wantThere("f=old")
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, After: 2, Err: remote.ErrTooLarge})
			b.faults.Inject(faulty.Fault{Op: faulty.Commit, Times: -1, Err: remote.ErrTooLarge})
			shown := "old"
			if err := b.trySend("f", "another", 0); err == nil {
				err = b.fs.Flush(b.t.Context(), ".")
				wantIs(b.t, err, remote.ErrTooLarge)
				shown = "another" // it was acknowledged
			}
			b.wantThere("f=old")
			b.reads("f", 0, shown)
			b.faults.Heal()
		})},
		{sentence: "REST n, STOR writes at n", check: inEachMode(func(b *rig) {
			b.has("f", "0123456789")
			b.send("f", "four", 4)
			b.reads("f", 0, "0123four")
			b.send("f", "0123", 0) // REST 0: not a second copy behind the first
			b.reads("f", 0, "0123")
			wantIs(b.t, b.trySend("f", "beyond", 5), remote.ErrInvalid)
			b.flush()
			b.wantThere("f=0123")
		})},
		{sentence: "it is known when a file is really on the remote", check: waiting(func(b *rig) {
			b.upload("f", "content")
			if q, w := b.fs.Queue(), b.fs.Waiting(); len(q) != 1 || q[0].Name != "f" || w.Changes != 1 || w.Bytes != 7 {
				b.t.Errorf("the queue is %+v, %+v", q, w)
			}
			b.wantThere()
			b.ok(b.fs.Flush(b.t.Context(), "f"))
			b.wantThere("f=content")
			if q := b.fs.Queue(); len(q) != 0 {
				b.t.Errorf("the queue is %+v", q)
			}
		})},
		{sentence: "who wants it is answered when the remote has the file", by: "TestAcknowledgedByTheRemote"},
		{sentence: "an end within the write-back delay loses nothing", check: inMode(writeback.Writes, 5*time.Second, func(b *rig) {
			b.upload("f", "content")
			b.restart()
			b.reads("f", 0, "content")
			time.Sleep(6 * time.Second)
			synctest.Wait()
			b.wantThere("f=content")
		})},
		{sentence: "an error that will not go away is not tried for ever, and is seen", check: inMode(writeback.Writes, 0, func(b *rig) {
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, Err: remote.ErrBadName})
			b.upload("f", "content")
			time.Sleep(24 * time.Hour)
			if n := b.faults.Calls(faulty.Put); n != 1 {
				b.t.Errorf("it was tried %d times", n)
			}
			lost, err := b.fs.Refused()
			if err != nil || len(lost) != 1 || lost[0].Name != "f" || lost[0].Reason == "" {
				b.t.Errorf("kept is %+v, %v", lost, err)
			}
			b.wantLogged("level=ERROR", "path=f")
			b.restart()
			if lost, err = b.fs.Refused(); err != nil || len(lost) != 1 {
				b.t.Errorf("after a restart there is %+v, %v", lost, err)
			}
		})},
		{sentence: "an error that may go away is seen in the queue", by: "TestAnAttemptThatFailsIsRepeatedLaterAndLater"},
		{sentence: "a remote that must know the size beforehand is told it", check: waiting(func(b *rig) {
			s := &sized{Forward: remote.Forward{Remote: b.inner}}
			b.under(s)
			b.upload("f", "content")
			b.flush()
			if len(s.sizes) != 1 || s.sizes[0] != 7 {
				b.t.Errorf("the sizes that were told are %v", s.sizes)
			}
		})},
		{sentence: "an upload takes its size on the disk once", check: waiting(func(b *rig) {
			const size = 4 << 20
			b.upload("f", strings.Repeat("x", size))
			b.ok(b.Rename(b.t.Context(), "f", "g"))
			b.flush()
			synctest.Wait() // the note of its request goes after the file has arrived
			if peak := b.disk.Peak(); peak < size || peak > size+size/4 {
				b.t.Errorf("%d bytes took %d on the disk", size, peak)
			}
			if used := b.disk.Used(); used != 0 {
				b.t.Errorf("%d bytes are left", used)
			}
		})},
	}
}

// sized notes which sizes Put is told.
type sized struct {
	remote.Forward
	sizes []int64
}

func (s *sized) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	s.sizes = append(s.sizes, o.Size)
	return s.Forward.Put(ctx, name, body, o)
}

// under restarts the process with another remote under the tree.
func (b *rig) under(r remote.Remote) {
	b.t.Helper()
	b.stop()
	b.faults = faulty.New(r)
	b.wrote = &notes{Forward: remote.Forward{Remote: b.faults}}
	b.start()
}

func aboutOrder() []complaint {
	return []complaint{
		{sentence: "a rename of a file that waits is not lost", check: waiting(func(b *rig) {
			b.has("final", "old")
			b.upload("tmp", "new")
			b.ok(b.Rename(b.t.Context(), "tmp", "final"))
			b.crash(disktest.Everything())
			b.wantSeen("final=new")
			b.flush()
			b.wantThere("final=new")
			b.wantCalls("put final")
		})},
		{sentence: "a rename of a file that is being sent is not lost, and leaves no second copy", check: inMode(writeback.Writes, 0, func(b *rig) {
			for _, f := range []faulty.Fault{{Op: faulty.Put, Block: true}, {Op: faulty.Put, Delay: time.Minute, Late: true}} {
				b.faults.Inject(f)
				b.upload("tmp", "new")
				synctest.Wait()
				b.ok(b.Rename(b.t.Context(), "tmp", "final"))
				b.flush()
				b.wantThere("final=new")
				b.ok(b.Remove(b.t.Context(), "final"))
				b.flush()
			}
		})},
		{sentence: "a file that was deleted does not come back", check: inMode(writeback.Writes, 0, func(b *rig) {
			for _, f := range []faulty.Fault{{Op: faulty.Put, Block: true}, {Op: faulty.Put, Delay: time.Minute, Late: true}} {
				b.has("f", "old")
				b.fs.Forget()
				b.faults.Inject(f)
				b.upload("f", "new")
				synctest.Wait()
				b.ok(b.Remove(b.t.Context(), "f"))
				b.crash(disktest.Everything())
				b.wantSeen()
				b.flush()
				time.Sleep(time.Hour)
				b.wantThere()
				b.wantSeen()
			}
		})},
		{sentence: "a file that waits does not vanish when its directory is listed anew", check: waiting(func(b *rig) {
			b.ok(b.Mkdir(b.t.Context(), "d"))
			b.upload("d/tmp", "content")
			for range 3 {
				b.fs.Forget()
				b.ok(b.fs.Refresh(b.t.Context(), ".", true))
				b.wantSeen("d/", "d/tmp=content")
			}
			b.ok(b.Rename(b.t.Context(), "d/tmp", "d/final"))
			b.fs.Forget()
			b.wantSeen("d/", "d/final=content")
		})},
		{sentence: "an upload that a restart found can be read and deleted", check: waiting(func(b *rig) {
			b.has("f", "old")
			b.upload("f", "content")
			b.upload("g", "content")
			b.crash(disktest.Everything())
			b.reads("f", 0, "content")
			b.reads("g", 3, "tent")
			b.ok(b.Remove(b.t.Context(), "f"))
			b.ok(b.Remove(b.t.Context(), "g"))
			b.wantSeen()
			b.flush()
			b.wantThere()
		})},
		{sentence: "what waits collapses into the fewest calls", by: "TestWhatWaitsCollapsesIntoTheFewestCalls"},
		{sentence: "what waits is found by the queue, and the copies are not looked through at the start", check: func(t *testing.T) {
			b := newRig(t, writeback.Options{Mode: writeback.Full})
			var work []int
			for _, n := range []int{1, 100} {
				for i := range n {
					name := fmt.Sprint("f", i)
					b.upload(name, "content")
				}
				b.flush()
				b.stop()
				b.disk.StartLog()
				store, err := cache.Open(b.disk, b.room)
				b.ok(err)
				work = append(work, strings.Count(b.disk.Log(), "\n"))
				if held := strings.Count(strings.Join(b.disk.Files(), "\n"), "clean/"); held < n {
					t.Errorf("%d copies of %d files", held, n)
				}
				b.ok(store.Close())
				b.start()
			}
			if work[0] != work[1] {
				t.Errorf("opening a cache of 1 file took %d operations, of 100 files %d", work[0], work[1])
			}
		}},
	}
}
