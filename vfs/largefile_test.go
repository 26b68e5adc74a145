package vfs

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/ftp"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

func TestAFileLargerThanTheCachePassesThrough(t *testing.T) {
	const limit = 2 << 20
	b := newRoomyRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour}, cache.Options{MaxSize: limit})
	b.has("f", "old")
	content := bytes.Repeat([]byte("0123456789abcde\n"), 6<<16) // 6 MiB
	for _, end := range []string{"commit", "abort"} {
		u, err := b.Create(t.Context(), "f", 0)
		b.ok(err)
		most := int64(0)
		for i := 0; i < len(content); i += 1 << 18 {
			if _, err := u.Write(content[i : i+1<<18]); err != nil {
				t.Fatal(err)
			}
			most = max(most, b.store.Stats().Used)
		}
		if most > limit+1<<20 {
			t.Errorf("the cache held %d bytes", most)
		}
		if end == "abort" {
			u.Abort()
			break
		}
		b.wantThere("f=old")
		b.ok(u.Commit(t.Context()))
		if got := readFile(t, b.inner, "f"); got != string(content) {
			t.Errorf("the remote has %d bytes", len(got))
		}
		b.ok(b.Remove(t.Context(), "f"))
		b.has("f", "old")
	}
	b.wantThere("f=old")
	if s := b.store.Stats(); s.Used != 0 {
		t.Errorf("something is left in the cache: %+v", s)
	}
}

func TestUploadsThatAreTogetherLargerThanTheCachePassThrough(t *testing.T) {
	b := newRoomyRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour}, cache.Options{MaxSize: 6 << 20, StallTimeout: 10 * time.Second})
	content := bytes.Repeat([]byte("0123456789abcde\n"), 4<<16) // 4 MiB
	uploads := map[string]ftp.Upload{"a": nil, "b": nil}
	for name := range uploads {
		u, err := b.Create(t.Context(), name, 0)
		b.ok(err)
		defer u.Abort()
		uploads[name] = u
	}
	for i := 0; i < len(content); i += 1 << 18 {
		for _, u := range uploads {
			if _, err := u.Write(content[i : i+1<<18]); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, u := range uploads {
		b.ok(u.Commit(t.Context()))
		b.ok(b.fs.Flush(t.Context(), name))
		if got := readFile(t, b.inner, name); got != string(content) {
			t.Errorf("%s has %d bytes on the remote", name, len(got))
		}
	}
}

func TestAFileThatCannotPassThroughEndsInTheErrorOfTheRemote(t *testing.T) {
	b := newRoomyRig(t, writeback.Options{Mode: writeback.Writes}, cache.Options{MaxSize: 2 << 20})
	b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, After: 1 << 20, Err: remote.ErrQuota})
	u, err := b.Create(t.Context(), "f", 0)
	b.ok(err)
	defer u.Abort()
	for range 16 {
		if _, err = u.Write(make([]byte, 1<<20)); err != nil {
			break
		}
	}
	wantIs(t, err, remote.ErrQuota)
}

func TestAFullCacheSlowsTheClientDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRoomyRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Second}, cache.Options{MaxSize: 4 << 20, StallTimeout: 30 * time.Second})
		defer b.stop()
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Delay: 10 * time.Second, Slow: true, Times: -1})
		began := time.Now()
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			b.upload(name, string(make([]byte, 2<<20)))
		}
		if took := time.Since(began); took < 30*time.Second {
			t.Errorf("12 MiB went through a cache of 4 MiB at 2 MiB per 10 s in %v", took)
		}
		b.flush()
		b.faults.Heal()
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, Err: errNetwork})
		var err error
		for _, name := range []string{"x", "y", "z"} {
			if err = b.trySend(name, string(make([]byte, 2<<20)), 0); err != nil {
				break
			}
		}
		wantIs(t, err, remote.ErrNoSpace)
	})
}

func TestANameThatTheRemoteCannotHoldIsRefusedBeforeData(t *testing.T) {
	b := newRig(t, writeback.Options{Mode: writeback.Writes})
	f := New(&pickyRemote{b.inner}, Options{Cache: b.o.Cache})
	_, err := f.View("bob").Create(t.Context(), "bad", 0)
	wantIs(t, err, remote.ErrBadName)
	wantIs(t, f.View("bob").Mkdir(t.Context(), "bad"), remote.ErrBadName)
	b.upload("good", "x")
	wantIs(t, b.fs.View("bob").Rename(t.Context(), "good", "no/"), remote.ErrInvalid)
}

// pickyRemote cannot hold a file called bad.
type pickyRemote struct{ remote.Remote }

func (pickyRemote) CheckName(name string) error {
	if name == "bad" {
		return remote.ErrBadName
	}
	return nil
}

func TestAnUploadOfASizeThatEndsWithinAStep(t *testing.T) {
	b := newRoomyRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour}, cache.Options{MaxSize: 64 << 20})
	for _, size := range []int{0, 1, spoolStep - 1, spoolStep, spoolStep + 1} {
		u, err := b.Create(t.Context(), "f", 0)
		b.ok(err)
		n, err := u.(io.ReaderFrom).ReadFrom(bytes.NewReader(make([]byte, size)))
		if err != nil || n != int64(size) {
			t.Errorf("%d of %d bytes, %v", n, size, err)
		}
		b.ok(u.Commit(t.Context()))
		if info, err := b.Stat(t.Context(), "f"); err != nil || info.Size() != int64(size) {
			t.Errorf("%v, %v", info, err)
		}
	}
}
