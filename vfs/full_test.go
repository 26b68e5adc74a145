package vfs

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// newFull is a tree in mode full, whose Run is not running.
func newFull(t *testing.T) (*behind, *cache.Store) { return newFullOf(t, writeback.AckRemote, 0) }

func newFullOf(t *testing.T, a writeback.Ack, size int64) (*behind, *cache.Store) {
	t.Helper()
	s, err := cache.Open(disktest.New(), cache.Options{MaxSize: size})
	if err != nil {
		t.Fatal(err)
	}
	o := sixteenMegabytes
	o.DirCacheTime = time.Hour
	o.Cache = writeback.Options{Store: s, Mode: writeback.Full, Ack: a}
	store := memory.New()
	r := faulty.New(far{Forward: remote.Forward{Remote: store}})
	tree := New(r, o)
	t.Cleanup(func() {
		tree.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &behind{View: tree.View("bob"), t: t, fs: tree, store: store, remote: r}, s
}

// full: when a file is opened for read it will be downloaded in its entirety first, says the manual
// that ferry follows. Here only what is read is fetched, once.
func TestFullFetchesWhatIsReadOnce(t *testing.T) {
	b, _ := newFull(t)
	data := content(3 << 20)
	b.putBytes("f", data)
	b.readsBytes("f", data)
	n := b.asked(faulty.Open, func() { b.readsBytes("f", data) })
	if n != 0 {
		t.Errorf("%d requests for what is held", n)
	}
}

func TestAFileThatIsKnownIsReadWithoutAsking(t *testing.T) {
	b, _ := newFull(t)
	data := content(3 << 20)
	b.putBytes("f", data)
	if _, err := b.Stat(t.Context(), "f"); err != nil { // as SIZE does
		t.Fatal(err)
	}
	n := b.asked(faulty.Stat, func() {
		r, err := b.Open(t.Context(), "f", 2<<20)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data[2<<20:]) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
	if n != 0 {
		t.Errorf("it asked %d times what the file is", n)
	}
}

func TestACopyFollowsItsFile(t *testing.T) {
	b, s := newFull(t)
	data := content(1 << 20)
	b.putBytes("f", data)
	b.readsBytes("f", data)
	if err := b.Rename(t.Context(), "f", "g"); err != nil {
		t.Fatal(err)
	}
	if n := b.asked(faulty.Open, func() { b.readsBytes("g", data) }); n != 0 {
		t.Errorf("%d requests for a file that was renamed", n)
	}
	if err := b.Remove(t.Context(), "g"); err != nil {
		t.Fatal(err)
	}
	if n := s.Stats().Clean.Files; n != 0 {
		t.Errorf("%d copies of nothing", n)
	}
}

func TestWhatWasSentStaysCached(t *testing.T) {
	b, _ := newFull(t)
	data := content(1 << 20)
	u, err := b.Create(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := b.asked(faulty.Open, func() { b.readsBytes("f", data) }); n != 0 {
		t.Errorf("%d requests for a file that was sent through here", n)
	}
}

func TestAnExpiredFileIsAskedForOnceAndReadFromDisk(t *testing.T) {
	b, _ := newFull(t)
	data := content(1 << 20)
	b.putBytes("f", data)
	b.readsBytes("f", data)
	b.fs.Forget()
	opens := b.remote.Calls(faulty.Open)
	if n := b.asked(faulty.Stat, func() { b.readsBytes("f", data) }); n != 1 {
		t.Errorf("it asked %d times what the file is", n)
	}
	if n := b.remote.Calls(faulty.Open) - opens; n != 0 {
		t.Errorf("%d requests for what is held", n)
	}
}

func TestWhoReadsAWaitingFileHasItWholeWhenItBecomesACopy(t *testing.T) {
	b, s := newFullOf(t, writeback.AckDurable, 4<<20)
	data := content(2 << 20)
	u, err := b.Create(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	waiting, err := b.Open(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	one := make([]byte, 1)
	if _, err := io.ReadFull(waiting, one); err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.fs.Run(ctx) }()
	if err := b.fs.Flush(ctx, "."); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if s.Stats().Clean.Files != 1 {
		t.Fatal("it has not become a copy")
	}
	held, err := b.Open(t.Context(), "f", 0) // so that the copy is in use
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	other := content(8 << 20)
	b.putBytes("other", other)
	b.readsBytes("other", other)
	rest, err := io.ReadAll(waiting)
	if err != nil || !bytes.Equal(append(one, rest...), data) {
		t.Errorf("%d bytes, %v", len(rest), err)
	}
}
