package vfs

import (
	"io"
	"strings"
	"testing"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

func aboutReading() []complaint {
	return []complaint{
		{sentence: "a file in the cache is not dropped or cut short because the remote cannot be reached", check: inMode(writeback.Full, time.Hour, func(b *rig) {
			b.has("f", "content")
			b.wantSeen("f=content") // lists and reads
			b.upload("sent", "through here")
			b.flush()
			b.faults.Inject(faulty.Fault{Times: -1, Err: errNetwork})
			for _, hours := range []time.Duration{0, 10} {
				time.Sleep(hours * time.Hour)
				b.reads("f", 0, "content")
				b.reads("f", 3, "tent")
				b.reads("sent", 0, "through here")
			}
			b.restart()
			b.reads("f", 0, "content")
			b.reads("sent", 0, "through here")
			b.faults.Heal()
			b.wantSeen("f=content", "sent=through here")
			b.wantThere("f=content", "sent=through here")
		})},
		{sentence: "what the cache does not hold is an error while the remote cannot be reached, not an empty file", check: inMode(writeback.Full, time.Hour, func(b *rig) {
			b.has("f", "content")
			b.faults.Inject(faulty.Fault{Times: -1, Err: errNetwork})
			r, err := b.Open(b.t.Context(), "f", 0)
			if err == nil {
				_, err = io.ReadAll(r)
				r.Close()
			}
			wantIs(b.t, err, errNetwork)
		})},
		{sentence: "a file that was changed on the remote is not read stale", check: inMode(writeback.Full, time.Hour, func(b *rig) {
			b.has("f", "old content")
			b.reads("f", 0, "old content")
			b.has("f", "new")
			time.Sleep(6 * time.Minute) // --dir-cache-time
			b.reads("f", 0, "new")
			b.has("f", "old")
			b.fs.Forget()
			b.restart()
			b.reads("f", 0, "old")
		})},
		{sentence: "a file has the time at which it was stored, not that at which it was sent", check: waiting(func(b *rig) {
			began := time.Now()
			b.upload("f", "content")
			times := []time.Time{b.modTime("f")}
			time.Sleep(time.Hour)
			b.restart()
			times = append(times, b.modTime("f"))
			b.flush()
			times = append(times, b.modTime("f"))
			e, err := b.inner.Stat(b.t.Context(), "f")
			b.ok(err)
			for _, at := range append(times, e.ModTime) {
				if at.Before(began) || at.After(began.Add(time.Second)) {
					b.t.Errorf("stored at %v it has the time %v", began, at)
				}
			}
		})},
		{sentence: "the first byte of a file does not wait for the last", check: inMode(writeback.Full, time.Hour, func(b *rig) {
			data := string(content(8 << 20))
			b.has("f", data)
			b.faults.Inject(faulty.Fault{Op: faulty.Read, Times: -1, Delay: time.Second, Slow: true})
			began := time.Now()
			r, err := b.Open(b.t.Context(), "f", 0)
			b.ok(err)
			defer r.Close()
			head := make([]byte, 1000)
			_, err = io.ReadFull(r, head)
			b.ok(err)
			first := time.Since(began)
			rest, err := io.ReadAll(r)
			if err != nil || string(head)+string(rest) != data {
				b.t.Errorf("%d bytes, %v", len(rest), err)
			}
			if all := time.Since(began); first > 2*time.Second || all < 3*first {
				b.t.Errorf("the first bytes came after %v, the last after %v", first, all)
			}
		})},
		{sentence: "what was read is not fetched again", by: "TestFullFetchesWhatIsReadOnce"},
		{sentence: "large files are fetched in parallel", by: "TestStreamsRunAtTheSameTime"},
		{sentence: "the memory of all readers together has a bound", by: "TestFileBufferingOfTheManual"},
	}
}

func (b *rig) modTime(name string) time.Time {
	b.t.Helper()
	info, err := b.Stat(b.t.Context(), name)
	b.ok(err)
	return info.ModTime()
}

func aboutRoom() []complaint {
	return []complaint{
		{sentence: "the cache is not larger than it may be", by: "TestTheCacheObeysItsSize"},
		{sentence: "a file that is larger than the cache is taken", by: "TestAFileLargerThanTheCachePassesThrough"},
		{sentence: "a cache that is full slows the client down, and says so when nothing moves", by: "TestAFullCacheSlowsTheClientDown"},
		{sentence: "a disk that is full is not stuck, and loses nothing", check: func(t *testing.T) {
			const file = 1 << 20
			b := newRoomyRig(t, writeback.Options{Mode: writeback.Full, WriteBack: time.Hour}, cache.Options{StallTimeout: 10 * time.Second})
			b.disk.SetSize(8 * file)
			for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
				b.has(name, strings.Repeat(name, file))
				b.reads(name, 0, strings.Repeat(name, file)) // copies make room for one another
			}
			var taken []string
			var err error
			for _, name := range []string{"u", "v", "w", "x", "y", "z", "0", "1", "2", "3"} {
				if err = b.trySend(name, strings.Repeat(name, file), 0); err != nil {
					break
				}
				taken = append(taken, name)
			}
			if len(taken) < 6 {
				t.Errorf("only %q of 8 MiB were taken", taken)
			}
			wantIs(t, err, remote.ErrNoSpace)
			b.flush()
			for _, name := range taken {
				if got := readFile(t, b.inner, name); got != strings.Repeat(name, file) {
					t.Errorf("%s has %d bytes on the remote", name, len(got))
				}
			}
			b.upload("again", strings.Repeat("x", file))
			b.reads("again", 0, strings.Repeat("x", file))
		}},
	}
}

func aboutDirectories() []complaint {
	return []complaint{
		{sentence: "a file is asked for without listing its directory", check: inMode(writeback.Full, time.Hour, func(b *rig) {
			ctx := b.t.Context()
			b.ok(b.Mkdir(ctx, "d"))
			b.has("d/far", "content")
			for i := range 10 {
				b.has("d/other"+strings.Repeat("x", i), "")
			}
			b.upload("d/near", "content")
			for _, name := range []string{"d/far", "d/near"} {
				_, err := b.Stat(ctx, name)
				b.ok(err)
				b.reads(name, 0, "content")
			}
			_, err := b.Stat(ctx, "d/none")
			wantIs(b.t, err, remote.ErrNotExist)
			b.ok(b.Rename(ctx, "d/near", "d/renamed"))
			b.flush()
			b.ok(b.Remove(ctx, "d/far"))
			if n := b.faults.Calls(faulty.List); n != 0 {
				b.t.Errorf("the remote was asked for %d listings", n)
			}
		})},
		{sentence: "a new file on an object store costs no question", check: waiting(func(b *rig) {
			b.under(&objectStore{b.inner})
			for _, name := range []string{"a", "d/b", "d/e/c"} {
				b.upload(name, "content")
			}
			if stats, lists := b.faults.Calls(faulty.Stat), b.faults.Calls(faulty.List); stats+lists != 0 {
				b.t.Errorf("the remote was asked %d times for a file and %d for a directory", stats, lists)
			}
			b.wantSeen("a=content", "d/", "d/b=content", "d/e/", "d/e/c=content")
		})},
		{sentence: "a refresh does not hold up who reads a directory, and what waits is in it at once", check: func(t *testing.T) {
			b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
			b.o.DirRefreshWait = 100 * time.Millisecond
			b.restart()
			b.has("old", "")
			b.wantSeen("old=")
			b.upload("waits", "")
			b.has("behind", "")
			time.Sleep(30 * time.Minute)
			b.faults.Inject(faulty.Fault{Op: faulty.List, Delay: time.Minute, Slow: true, Times: -1})
			for _, want := range [][]string{{"old", "waits"}, {"behind", "old", "waits"}} {
				began := time.Now()
				var seen []string
				for info, err := range b.List(t.Context(), ".") {
					b.ok(err)
					seen = append(seen, info.Name())
				}
				b.want("the listing", seen, want)
				if took := time.Since(began); took > 100*time.Millisecond {
					t.Errorf("the listing took %v", took)
				}
				time.Sleep(2 * time.Minute)
			}
		}},
		{sentence: "a large directory streams", by: "TestADirectoryLargerThanTheCacheStreams"},
		{sentence: "what a remote tells of its changes is seen", by: "TestWhatChangesOnTheFarSideShowsAtOnce"},
	}
}

func aboutParts() []complaint {
	return []complaint{
		{sentence: "a part does not look complete", check: inEachMode(func(b *rig) {
			u := b.begin("new", "half", 0)
			b.wantSeen()
			u.Abort()
			other := b.fs.View("eve")
			_, err := other.Stat(b.t.Context(), "new")
			wantIs(b.t, err, remote.ErrNotExist)
			_, err = b.Open(b.t.Context(), "new", 0)
			wantIs(b.t, err, remote.ErrPermission)
			b.flush()
			b.wantThere()
			b.restart()
			b.flush()
			b.wantThere()
			b.send("new", " and half", AtEnd)
			b.flush()
			b.wantThere("new=half and half")
		})},
		{sentence: "what was being received when the power failed is not published", check: inMode(writeback.Writes, 0, func(b *rig) {
			b.has("f", "old")
			for _, loss := range []disktest.Loss{disktest.Everything(), disktest.Nothing()} {
				u := b.begin("f", "half", 0)
				b.crash(loss)
				u.Abort()
				b.flush()
				b.reads("f", 0, "old")
				b.wantThere("f=old")
			}
		})},
		{sentence: "an upload to an object store can be continued", check: waiting(func(b *rig) {
			b.under(&objectStore{b.inner})
			b.begin("f", "one", 0).Abort()
			b.restart()
			info, err := b.Stat(b.t.Context(), "f")
			b.ok(err)
			if info.Size() != 3 {
				b.t.Errorf("SIZE is %d", info.Size())
			}
			b.send("f", "ne more", 2)
			b.flush()
			b.wantThere("f=onne more")
			b.send("f", " and more", AtEnd)
			b.send("f", "two", 0)
			b.send("f", "o", 2)
			b.send("f", " three", AtEnd)
			b.flush()
			b.wantThere("f=two three")
			b.wantCalls("put f", "put f")
		})},
	}
}
