package vfs_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/vfs"
	"ferry/writeback"
)

// A keeper is a tree in which unfinished uploads are kept, and can be opened again.
type keeper struct {
	t      *testing.T
	remote remote.Remote
	cached bool
	mode   writeback.Mode
	disk   *disktest.Disk
	*vfs.FS
	store *cache.Store
	stop  func() error
}

func (k *keeper) open() {
	k.t.Helper()
	k.close()
	o := vfs.Options{PartMaxAge: 24 * time.Hour}
	if k.cached {
		store, err := cache.Open(k.disk, cache.Options{})
		if err != nil {
			k.t.Fatal(err)
		}
		k.store = store
		o.Cache = writeback.Options{Store: store, Mode: k.mode, WriteBack: time.Hour}
	}
	k.FS = vfs.New(k.remote, o)
	ctx, cancel := context.WithCancel(context.WithoutCancel(k.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	k.stop = func() error {
		cancel()
		return errors.Join(<-ended, k.FS.Close())
	}
}

func (k *keeper) close() {
	k.t.Helper()
	if k.FS == nil {
		return
	}
	err := k.stop()
	if k.store != nil {
		err = errors.Join(err, k.store.Close())
	}
	if err != nil {
		k.t.Error(err)
	}
}

// eachKeeper runs test over every kind of them, in virtual time.
func eachKeeper(t *testing.T, test func(t *testing.T, k *keeper)) {
	t.Helper()
	run := func(name string, k *keeper, open func(t *testing.T) remote.Remote) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k.t, k.disk, k.remote = t, disktest.New(), open(t)
				defer k.remote.Close()
				k.open()
				defer k.close()
				test(t, k)
			})
		})
	}
	inMemory := func(*testing.T) remote.Remote { return memory.New() }
	run("memory", &keeper{}, inMemory)
	run("minimal", &keeper{cached: true, mode: writeback.Minimal}, inMemory)
	run("writes", &keeper{cached: true, mode: writeback.Writes}, inMemory)
	run("full", &keeper{cached: true, mode: writeback.Full}, inMemory)
	run("writes over what keeps nothing", &keeper{cached: true, mode: writeback.Writes},
		func(*testing.T) remote.Remote { return whole{memory.New()} })
}

const here, there = "192.0.2.1", "192.0.2.2"

func TestTwoDevicesOfOneUserDoNotMixTheirParts(t *testing.T) {
	eachKeeper(t, func(t *testing.T, k *keeper) {
		a, b := k.ViewFrom("cam", here), k.ViewFrom("cam", there)
		cut(t, a, "clip.mp4", "aa", 0)
		cut(t, b, "clip.mp4", "bbb", 0)
		for v, want := range map[*vfs.View]int64{a: 2, b: 3} {
			if got := size(t, v, "clip.mp4"); got != want {
				t.Errorf("SIZE is %d, want %d", got, want)
			}
			if got := names(t, v, "."); got != "clip.mp4" {
				t.Errorf("the listing shows %q", got)
			}
		}
		_, err := a.Create(t.Context(), "clip.mp4", 3)
		wantErr(t, err, fs.ErrInvalid, "its size is 2")
		time.Sleep(time.Hour) // also when the other one is gone
		_, err = a.Create(t.Context(), "clip.mp4", 3)
		wantErr(t, err, fs.ErrInvalid, "its size is 2")
		upload(t, a, "clip.mp4", "AA", 2)
		if got := content(t, a, "clip.mp4"); got != "aaAA" {
			t.Errorf("got %q", got)
		}
	})
}

func TestAPartIsNotShownAtAnotherAddress(t *testing.T) {
	eachKeeper(t, func(t *testing.T, k *keeper) {
		a, b := k.ViewFrom("cam", here), k.ViewFrom("cam", there)
		cut(t, a, "f", "aa", 0)
		time.Sleep(time.Hour)
		wantGone(t, b, "f")
		if got := names(t, b, "."); got != "" {
			t.Errorf("the listing shows %q", got)
		}
		wantErr(t, b.Remove(t.Context(), "f"), fs.ErrNotExist, "")
		again := k.ViewFrom("cam", here)
		if size(t, again, "f") != 2 {
			t.Error("the part is lost")
		}
	})
}

// A device that gets another address goes on where it knows it was.
func TestAnotherAddressContinuesAPartWhoseWriterIsGone(t *testing.T) {
	eachKeeper(t, func(t *testing.T, k *keeper) {
		old, now, eve := k.ViewFrom("cam", here), k.ViewFrom("cam", there), k.ViewFrom("eve", there)
		cut(t, old, "f", "1234", 0)
		refused := func(v *vfs.View, off int64, want error, hint string) {
			t.Helper()
			_, err := v.Create(t.Context(), "f", off)
			wantErr(t, err, want, hint)
		}
		refused(now, 4, remote.ErrChanged, "five minutes")
		time.Sleep(5*time.Minute - time.Second)
		refused(now, 4, remote.ErrChanged, "five minutes")
		time.Sleep(time.Second)
		refused(now, 3, fs.ErrInvalid, "nothing of that name")
		refused(now, 5, fs.ErrInvalid, "nothing of that name")
		refused(eve, 4, fs.ErrInvalid, "nothing of that name")
		cut(t, now, "f", "56", 4) // from then on it is the part of that address
		wantGone(t, old, "f")
		if size(t, now, "f") != 6 {
			t.Error("what was added is lost")
		}
		upload(t, now, "f", "78", 6)
		if got := content(t, now, "f"); got != "12345678" {
			t.Errorf("got %q", got)
		}
	})
}

func TestAfterARestartAnotherAddressContinuesAPart(t *testing.T) {
	eachKeeper(t, func(t *testing.T, k *keeper) {
		cut(t, k.ViewFrom("cam", here), "f", "1234", 0)
		k.open()
		now := k.ViewFrom("cam", there)
		_, err := now.Create(t.Context(), "f", 4)
		wantErr(t, err, remote.ErrChanged, "five minutes")
		time.Sleep(5 * time.Minute)
		upload(t, now, "f", "56", 4)
		if got := content(t, now, "f"); got != "123456" {
			t.Errorf("got %q", got)
		}
	})
}

// Who has been cut and then sees what another device has stored does not go on behind that.
func TestTheRestOfACutUploadDoesNotGoBehindTheFileOfAnotherDevice(t *testing.T) {
	eachKeeper(t, func(t *testing.T, k *keeper) {
		a, b := k.ViewFrom("cam", here), k.ViewFrom("cam", there)
		cut(t, a, "f", "aa", 0)
		time.Sleep(time.Minute)
		upload(t, b, "f", "bbb", 0)
		for _, off := range []int64{3, 1, vfs.AtEnd} {
			_, err := a.Create(t.Context(), "f", off)
			wantErr(t, err, fs.ErrInvalid, "REST 2")
		}
		upload(t, b, "f", "BB", vfs.AtEnd) // b's own file is its own
		if got := content(t, b, "f"); got != "bbbBB" {
			t.Errorf("got %q", got)
		}
		upload(t, a, "f", "AA", 2)
		if got := content(t, b, "f"); got != "aaAA" {
			t.Errorf("got %q", got)
		}
		upload(t, a, "f", "+", vfs.AtEnd)
	})
}

// An overwrite that was cut leaves the old file to be seen: behind that nothing of the new one
// belongs, from no address.
func TestTheRestOfACutOverwriteDoesNotGoBehindTheOldFile(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		eachKeeper(t, func(t *testing.T, k *keeper) {
			upload(t, k.ViewFrom("eve", here), "f", "old file", 0)
			time.Sleep(time.Minute)
			cut(t, k.ViewFrom("cam", here), "f", "new", 0)
			if restarted {
				k.open()
			}
			now := k.ViewFrom("cam", there)
			for _, off := range []int64{8, 1, vfs.AtEnd} {
				_, err := now.Create(t.Context(), "f", off)
				wantErr(t, err, fs.ErrInvalid, "from the beginning")
				if err != nil && strings.Contains(err.Error(), "REST 3") {
					t.Error("the other's offset is told")
				}
			}
			time.Sleep(5 * time.Minute)
			upload(t, now, "f", " content", 3)
			if got := content(t, now, "f"); got != "new content" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A session that hangs while its device comes back holds what it is writing.
func TestARunningUploadIsNotGivenAway(t *testing.T) {
	eachKeeper(t, func(t *testing.T, k *keeper) {
		first := k.ViewFrom("cam", here)
		upload(t, first, "old", "the old file", 0)
		for _, name := range []string{"new", "old", "part"} {
			off := int64(0)
			if name == "part" {
				cut(t, first, name, "1234", 0)
				time.Sleep(time.Hour)
				off = 4
			}
			hangs, err := first.Create(t.Context(), name, off)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(hangs, "5678")
			time.Sleep(time.Hour)
			for _, again := range []*vfs.View{k.ViewFrom("cam", here), k.ViewFrom("cam", there)} {
				for _, at := range []int64{4, 8, 12} {
					_, err := again.Create(t.Context(), name, at)
					wantErr(t, err, remote.ErrChanged, "Another session of yours")
				}
				if name == "old" {
					_, err := again.Create(t.Context(), name, vfs.AtEnd)
					wantErr(t, err, remote.ErrChanged, "Another session of yours")
				}
			}
			if err := hangs.Commit(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			hangs.Abort()
			upload(t, first, name, "+", vfs.AtEnd)
		}
		if content(t, first, "new") != "5678+" || content(t, first, "old") != "5678+" || content(t, first, "part") != "12345678+" {
			t.Error("something is lost")
		}
	})
}

// What a user left when parts belonged to users alone is found from each address.
func TestAPartOfBeforeIsFound(t *testing.T) {
	eachKeeper(t, func(t *testing.T, k *keeper) {
		cut(t, k.View("cam"), "f", "1234", 0)
		cut(t, k.View("cam"), "g", "1234", 0)
		cut(t, k.View("cam"), "h", "1234", 0)
		k.open()
		v := k.ViewFrom("cam", here)
		if got := names(t, v, "."); got != "f g h" || size(t, v, "f") != 4 {
			t.Errorf("the listing shows %q", got)
		}
		cut(t, v, "f", "56", 4)
		if got := names(t, v, "."); got != "f g h" || size(t, v, "f") != 6 {
			t.Errorf("the listing shows %q", got)
		}
		upload(t, v, "f", "78", 6)
		upload(t, v, "g", "56", vfs.AtEnd)
		if err := v.Remove(t.Context(), "h"); err != nil {
			t.Error(err)
		}
		wantGone(t, v, "h")
		if content(t, v, "f") != "12345678" || content(t, v, "g") != "123456" {
			t.Error("it was not continued")
		}
		time.Sleep(25 * time.Hour)
		wantGone(t, v, "h")
	})
}

// The parts of two addresses are files beside each other in a directory.
func TestPartsOfTwoAddressesInADirectory(t *testing.T) {
	r, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	tree := vfs.New(r, vfs.Options{})
	a, b := tree.ViewFrom("cam", here), tree.ViewFrom("cam", there)
	cut(t, a, "f", "aa", 0)
	cut(t, b, "f", "bbb", 0)
	if size(t, a, "f") != 2 || size(t, b, "f") != 3 || names(t, a, ".") != "f" {
		t.Error("they are not kept apart")
	}
	_, err = b.Create(t.Context(), "f", 2)
	if err != nil {
		t.Error("an own part can be cut:", err)
	}
	wantGone(t, b, "f") // it is being written
	upload(t, a, "f", "AA", 2)
	if got := content(t, b, "f"); got != "aaAA" {
		t.Errorf("got %q", got)
	}
	_, err = tree.ViewFrom("cam", "192.0.2.3").Create(t.Context(), "g", 2)
	if !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
}
