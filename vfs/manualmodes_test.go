package vfs

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/remote/wrap/retry"
	"ferry/writeback"
)

func ofMinimal() []sentence {
	return []sentence{
		{`This is very similar to "off" except that files opened for read AND write will be buffered to disks.`, inMode(writeback.Minimal, time.Minute, func(b *rig) {
			b.upload("f", "one")
			b.wantThere("f=one") // as off
			b.send("f", " two", AtEnd)
			b.reads("f", 0, "one two")
			if used := b.store.Stats().Waiting.Files; used != 1 {
				b.t.Errorf("%d files wait", used)
			}
			b.wantThere("f=one")
			b.flush()
			b.wantThere("f=one two")
		})},
		{"Files opened for write only can't be seeked", inMode(writeback.Minimal, time.Minute, func(b *rig) {
			b.under(&objectStore{b.inner})
			b.has("f", "0123456789")
			b.send("f", "four", 4)
			b.flush()
			b.wantThere("f=0123four")
		})},
		{"Existing files opened for write must have O_TRUNC set", inMode(writeback.Minimal, time.Minute, func(b *rig) {
			b.has("f", "a long old content")
			b.upload("f", "new")
			b.wantThere("f=new")
		})},
		{"Files opened for write only will ignore O_APPEND, O_TRUNC", inMode(writeback.Minimal, time.Minute, func(b *rig) {
			b.under(&objectStore{b.inner})
			b.has("f", "one")
			b.send("f", " two", AtEnd)
			b.flush()
			b.wantThere("f=one two")
		})},
		{"If an upload fails it can't be retried", inMode(writeback.Minimal, 0, func(b *rig) {
			failsAtOnce(b)
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: 3, Err: errNetwork})
			b.send("f", ", and more", AtEnd) // what was buffered can
			b.flush()
			b.wantThere("f=content, and more")
		})},
	}
}

func ofWrites() []sentence {
	return []sentence{
		{"In this mode files opened for read only are still read directly from the remote, write only and read/write files are buffered to disk first.", waiting(func(b *rig) {
			b.has("far", "content")
			b.reads("far", 0, "content")
			if used := b.store.Stats().Used; used != 0 {
				b.t.Errorf("reading left %d bytes on the disk", used)
			}
			b.upload("new", "content")
			b.send("far", " and more", AtEnd)
			b.wantThere("far=content")
			b.reads("new", 0, "content")
			b.reads("far", 0, "content and more")
			b.flush()
			b.wantThere("far=content and more", "new=content")
		})},
		{"This mode should support all normal file system operations.", inMode(writeback.Writes, time.Minute, normalOperations)},
		{"If an upload fails it will be retried up to --low-level-retries times.", inMode(writeback.Writes, time.Second, retries)},
	}
}

// normalOperations does what FTP has, on a remote that takes whole files only and renames nothing.
func normalOperations(b *rig) {
	b.t.Helper()
	ctx := b.t.Context()
	b.under(&objectStore{b.inner})
	when := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for range 2 { // on what waits, and on what was sent
		b.ok(b.Mkdir(ctx, "d"))
		b.upload("d/f", "0123456789")
		b.send("d/f", "four", 4)
		b.send("d/f", " more", AtEnd)
		b.reads("d/f", 4, "four more")
		b.ok(b.SetModTime(ctx, "d/f", when))
		b.ok(b.Rename(ctx, "d/f", "d/g"))
		if at := b.modTime("d/g"); !at.Equal(when) {
			b.t.Errorf("its time is %v", at)
		}
		b.wantSeen("d/", "d/g=0123four more")
		b.flush()
		b.wantThere("d/", "d/g=0123four more")
		b.ok(b.Remove(ctx, "d/g"))
		b.ok(b.Rmdir(ctx, "d"))
		b.wantSeen()
		b.flush()
		b.wantThere()
	}
}

// retries checks that what was taken in is tried until it is there.
func retries(b *rig) {
	b.t.Helper()
	const failures = 40 // --low-level-retries is 10
	b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: failures, Err: errNetwork})
	b.upload("f", "content")
	time.Sleep(2 * time.Hour)
	synctest.Wait()
	b.wantThere("f=content")
	if n := b.faults.Calls(faulty.Put); n != failures+1 {
		b.t.Errorf("it was tried %d times", n)
	}
}

func ofFull() []sentence {
	return []sentence{
		{"In this mode all reads and writes are buffered to and from disk.", inMode(writeback.Full, time.Hour, func(b *rig) {
			b.has("far", "content")
			b.reads("far", 0, "content")
			b.upload("near", "content")
			if s := b.store.Stats(); s.Clean.Files != 1 || s.Waiting.Files != 1 {
				b.t.Errorf("the cache holds %+v", s)
			}
			n := b.faults.Calls(faulty.Open)
			b.reads("far", 0, "content")
			b.reads("near", 0, "content")
			if b.faults.Calls(faulty.Open) != n {
				b.t.Error("the remote was asked for what is on the disk")
			}
		})},
		{"When a file is opened for read it will be downloaded in its entirety first.", inMode(writeback.Full, time.Hour, func(b *rig) {
			const size = 32 << 20
			b.has("f", string(make([]byte, size)))
			r, err := b.Open(b.t.Context(), "f", size/2)
			b.ok(err)
			_, err = io.CopyN(io.Discard, r, 1000)
			b.ok(err)
			synctest.Wait()
			b.ok(r.Close())
			if held := b.store.Stats().Clean.Bytes; held == 0 || held > size/4 {
				b.t.Errorf("for 1000 bytes of %d the cache holds %d", size, held)
			}
		})},
		{"In this mode, unlike the others, when a file is written to the disk, it will be kept on the disk after it is written to the remote.", func(t *testing.T) {
			for mode, kept := range map[writeback.Mode]bool{writeback.Minimal: false, writeback.Writes: false, writeback.Full: true} {
				b := newRig(t, writeback.Options{Mode: mode})
				b.has("g", "one")
				b.upload("f", "content")
				b.send("g", " two", AtEnd)
				b.flush()
				b.wantThere("f=content", "g=one two")
				n := b.faults.Calls(faulty.Open)
				b.reads("f", 0, "content")
				b.reads("g", 0, "one two")
				if got := b.faults.Calls(faulty.Open) == n; got != kept {
					t.Errorf("mode %d: it was kept: %v", mode, got)
				}
			}
		}},
		{"It will be purged on a schedule according to --vfs-cache-max-age.", func(t *testing.T) {
			b := newRoomyRig(t, writeback.Options{Mode: writeback.Full, WriteBack: 10 * time.Hour}, cache.Options{MaxAge: time.Hour, PollInterval: time.Minute})
			b.has("f", "content")
			b.has("used", "content")
			b.reads("f", 0, "content")
			b.upload("waits", strings.Repeat("x", 1000))
			for range 3 {
				b.reads("used", 0, "content")
				time.Sleep(25 * time.Minute)
			}
			if n := b.store.Stats().Clean.Files; n != 1 {
				t.Errorf("%d copies are left, one was used within the hour", n)
			}
			time.Sleep(62 * time.Minute)
			if s := b.store.Stats(); s.Clean.Files != 0 || s.Waiting.Files != 1 {
				t.Errorf("the cache holds %+v", s)
			}
			b.reads("waits", 0, strings.Repeat("x", 1000))
			b.reads("f", 0, "content")
		}},
		{"This mode should support all normal file system operations.", inMode(writeback.Full, time.Minute, normalOperations)},
		{"If an upload or download fails it will be retried up to --low-level-retries times.", inMode(writeback.Full, time.Second, func(b *rig) {
			retries(b)
			data := string(content(4 << 20))
			b.has("g", data)
			b.stop()
			b.wrote = &notes{Forward: remote.Forward{Remote: retry.New(b.faults, retry.Options{})}} // as every remote is wrapped
			b.start()
			before := b.faults.Injected()
			b.faults.Inject(faulty.Fault{Op: faulty.Read, Times: 5, After: 1000, Err: errNetwork})
			b.reads("g", 0, data)
			if n := b.faults.Injected() - before; n != 5 {
				b.t.Errorf("it failed %d times", n)
			}
		})},
	}
}
