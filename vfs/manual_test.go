package vfs

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// A sentence is one of the manual that ferry follows, with what it means for an FTP client
// (doc/semantics.md).
type sentence struct {
	text  string
	check func(t *testing.T)
}

// TestFileCachingOfTheManual has a subtest for each sentence about cache modes. Time is virtual.
func TestFileCachingOfTheManual(t *testing.T) {
	for mode, sentences := range map[string][]sentence{
		"caching": ofCaching(), "off": ofOff(), "minimal": ofMinimal(), "writes": ofWrites(), "full": ofFull(),
	} {
		for _, s := range sentences {
			t.Run(mode+": "+s.text, func(t *testing.T) { synctest.Test(t, s.check) })
		}
	}
}

func ofCaching() []sentence {
	return []sentence{
		{"You'll need to enable VFS caching if you want, for example, to read and write simultaneously to a file.", func(t *testing.T) {
			inEachMode(readsWhileItIsWritten)(t)
			readsWhileItIsWritten(newOff(t)) // it needs no cache
		}},
		{"The higher the cache mode the more compatible rclone becomes at the cost of using disk space.", func(t *testing.T) {
			var used []int64
			for _, mode := range []writeback.Mode{writeback.Minimal, writeback.Writes, writeback.Full} {
				b := newRig(t, writeback.Options{Mode: mode, WriteBack: time.Hour})
				b.has("read", strings.Repeat("r", 100_000))
				b.upload("written", strings.Repeat("w", 50_000))
				b.reads("read", 0, strings.Repeat("r", 100_000))
				used = append(used, b.store.Stats().Used)
			}
			if used[0] != 0 || used[1] < 50_000 || used[2] < 150_000 {
				t.Errorf("minimal, writes and full use %v bytes", used)
			}
		}},
		{"Note that files are written back to the remote only when they are closed so if rclone is quit or dies with open files then these won't get written back to the remote.", inMode(writeback.Writes, 0, func(b *rig) {
			for _, end := range []func(){b.restart, func() { b.crash(disktest.Nothing()) }} {
				u := b.begin("f", "half", 0)
				time.Sleep(time.Hour)
				b.wantThere()
				end()
				u.Abort()
				b.flush()
				b.wantThere()
			}
		})},
		{"However they will still be in the on disk cache.", inMode(writeback.Writes, 0, func(b *rig) {
			data := string(content(3 << 20))
			u := b.begin("f", data, 0)
			b.crash(disktest.Nothing())
			u.Abort()
			info, err := b.Stat(b.t.Context(), "f")
			b.ok(err)
			if info.Size() < 2<<20 {
				b.t.Errorf("the part has %d bytes", info.Size())
			}
			b.send("f", data[info.Size():]+" and more", info.Size())
			b.flush()
			b.wantThere("f=" + data + " and more")
		})},
		{"If using --vfs-cache-max-size note that the cache may exceed this size: it is only checked every --vfs-cache-poll-interval, and open files cannot be evicted.", func(t *testing.T) {
			const limit, file = 4 << 20, 3 << 20
			b := newRoomyRig(t, writeback.Options{Mode: writeback.Full}, cache.Options{MaxSize: limit, PollInterval: time.Hour})
			var open []io.ReadCloser
			for _, name := range []string{"a", "b", "c"} {
				b.has(name, strings.Repeat(name, file))
				r, err := b.Open(t.Context(), name, 0)
				b.ok(err)
				defer r.Close()
				_, err = io.CopyN(io.Discard, r, file-1)
				b.ok(err)
				open = append(open, r)
			}
			for i, r := range open {
				if rest, err := io.ReadAll(r); err != nil || len(rest) != 1 || rest[0] != "abc"[i] {
					t.Errorf("a file that was taken apart gives %q, %v", rest, err)
				}
			}
			if peak := b.disk.Peak(); peak > limit+1<<20 {
				t.Errorf("a cache of %d bytes took %d", limit, peak)
			}
		}},
	}
}

// newOff is a rig without a cache.
func newOff(t *testing.T) *rig {
	b := newRig(t, writeback.Options{})
	b.stop()
	b.o.Cache = writeback.Options{}
	b.fs = New(b.wrote, b.o)
	b.View = b.fs.View("bob")
	b.stop = func() { b.ok(b.fs.Close()) }
	return b
}

// inOff is a check without a cache. Nothing may be left waiting, and nothing on the disk.
func inOff(check func(b *rig)) func(t *testing.T) {
	return func(t *testing.T) {
		b := newOff(t)
		check(b)
		if used, w := b.disk.Used(), b.fs.Waiting(); used != 0 || w.Changes != 0 {
			t.Errorf("%d bytes are on the disk, %+v waits", used, w)
		}
	}
}

func readsWhileItIsWritten(b *rig) {
	b.t.Helper()
	b.has("f", "old content")
	r, err := b.Open(b.t.Context(), "f", 0)
	b.ok(err)
	defer r.Close()
	u := b.begin("f", "new", 0)
	b.reads("f", 4, "content")
	b.ok(u.Commit(b.t.Context()))
	b.reads("f", 0, "new")
	if got, err := io.ReadAll(r); err == nil && string(got) != "old content" || err != nil && len(got) > 0 && !strings.HasPrefix("old content", string(got)) {
		b.t.Errorf("who was reading got %q, %v", got, err)
	}
}

func ofOff() []sentence {
	return []sentence{
		{"In this mode the cache will read directly from the remote and write directly to the remote without caching anything on disk.", inOff(func(b *rig) {
			b.upload("f", "content")
			b.wantThere("f=content")
			n := b.faults.Calls(faulty.Open)
			b.reads("f", 0, "content")
			b.reads("f", 0, "content")
			if n = b.faults.Calls(faulty.Open) - n; n != 2 {
				b.t.Errorf("two reads were %d requests", n)
			}
		})},
		{"Files can't be opened for both read AND write", inOff(readsWhileItIsWritten)},
		{"Files opened for write can't be seeked", inOff(func(b *rig) {
			b.upload("f", "0123456789")
			b.send("f", "four", 4) // where the remote can do it
			b.wantThere("f=0123four")
			b.fs = New(&objectStore{b.inner}, b.o)
			b.View = b.fs.View("bob")
			err := b.trySend("f", "x", 4)
			wantIs(b.t, err, remote.ErrUnsupported)
			wantHint(b.t, err, "--vfs-cache-mode")
			b.wantThere("f=0123four")
		})},
		{"Existing files opened for write must have O_TRUNC set", inOff(func(b *rig) {
			b.upload("f", "a long old content")
			b.upload("f", "new")
			b.wantThere("f=new")
		})},
		{"Files open for read with O_TRUNC will be opened write only", inOff(func(b *rig) {
			b.upload("f", "content")
			b.reads("f", 0, "content")
			b.wantThere("f=content") // nobody who reads truncates
		})},
		{"Files open for write only will behave as if O_TRUNC was supplied", inOff(func(b *rig) {
			b.upload("f", "a long old content")
			b.send("f", "new", 0)
			b.wantThere("f=new")
			b.send("f", " and more", 3)
			b.wantThere("f=new and more")
		})},
		{"Open modes O_APPEND, O_TRUNC are ignored", inOff(func(b *rig) {
			b.upload("f", "one")
			b.send("f", " two", AtEnd)
			b.wantThere("f=one two")
			b.fs = New(&objectStore{b.inner}, b.o)
			b.View = b.fs.View("bob")
			wantIs(b.t, b.trySend("f", "x", AtEnd), remote.ErrUnsupported)
			b.wantThere("f=one two")
		})},
		{"If an upload fails it can't be retried", inOff(failsAtOnce)},
	}
}

// failsAtOnce checks that an upload that the remote does not take is an error for the client, and
// is not tried again.
func failsAtOnce(b *rig) {
	b.t.Helper()
	b.under(&objectStore{b.inner})
	b.faults.Inject(faulty.Fault{Op: faulty.Put, Err: errNetwork})
	wantIs(b.t, b.trySend("f", "content", 0), errNetwork)
	time.Sleep(time.Hour)
	b.wantThere()
	if n := b.faults.Calls(faulty.Put); n != 1 {
		b.t.Errorf("it was tried %d times", n)
	}
	b.upload("f", "content") // the client may
	b.wantThere("f=content")
}

func wantHint(t *testing.T, err error, hint string) {
	t.Helper()
	h, ok := err.(interface{ Hint() string })
	if !ok || !strings.Contains(h.Hint(), hint) {
		t.Errorf("%v does not hint at %s", err, hint)
	}
}
