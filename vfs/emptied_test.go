package vfs

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// On a remote whose directories come with the files in them, a directory that nobody made lives
// until it is removed, also where nothing of it has come to the remote yet.
func TestADirectoryOutlivesWhatWaitedInIt(t *testing.T) {
	for name, c := range map[string]struct {
		asks   bool // the remote has to answer
		change func(b *rig)
		seen   []string
	}{
		"the only file is removed": {false, func(b *rig) {
			b.ok(b.Remove(b.t.Context(), "d/f"))
		}, []string{"d/"}},
		"the only file is renamed": {false, func(b *rig) {
			b.ok(b.Rename(b.t.Context(), "d/f", "g"))
		}, []string{"d/", "g=x"}},
		"a file is renamed in it": {false, func(b *rig) {
			b.ok(b.Rename(b.t.Context(), "d/f", "d/g"))
		}, []string{"d/", "d/g=x"}},
		"the only file is renamed to a place below": {false, func(b *rig) {
			b.ok(b.Rename(b.t.Context(), "d/f", "d/e/g"))
		}, []string{"d/", "d/e/", "d/e/g=x"}},
		"two files are removed one after the other": {false, func(b *rig) {
			b.upload("d/g", "x")
			b.ok(b.Remove(b.t.Context(), "d/f"))
			b.ok(b.Remove(b.t.Context(), "d/g"))
		}, []string{"d/"}},
		"two files are removed at once": {false, func(b *rig) {
			b.upload("d/g", "x")
			var both sync.WaitGroup
			for _, name := range []string{"d/f", "d/g"} {
				both.Go(func() {
					if err := b.Remove(b.t.Context(), name); err != nil {
						b.t.Error(err)
					}
				})
			}
			both.Wait()
		}, []string{"d/"}},
		"it is removed": {true, func(b *rig) {
			b.ok(b.Remove(b.t.Context(), "d/f"))
			b.ok(b.Rmdir(b.t.Context(), "d"))
		}, nil},
		"a tree is removed from below": {true, func(b *rig) {
			b.upload("a/b/c/f", "x")
			b.ok(b.Remove(b.t.Context(), "d/f"))
			b.ok(b.Remove(b.t.Context(), "a/b/c/f"))
			b.ok(b.Rmdir(b.t.Context(), "a/b/c"))
			b.wantSeen("a/", "a/b/", "d/")
			b.ok(b.Rmdir(b.t.Context(), "a/b"))
		}, []string{"a/", "d/"}},
		"it was removed before, and came again": {true, func(b *rig) {
			b.ok(b.Remove(b.t.Context(), "d/f"))
			b.ok(b.Rmdir(b.t.Context(), "d"))
			b.upload("d/f", "y")
			b.ok(b.Remove(b.t.Context(), "d/f"))
		}, []string{"d/"}},
		"a file is replaced, and removed": {false, func(b *rig) {
			b.upload("d/f", "y")
			b.ok(b.Remove(b.t.Context(), "d/f"))
		}, []string{"d/"}},
	} {
		for how, start := range map[string]func(b *rig){
			"in mode writes": func(b *rig) { b.o.Cache.Mode = writeback.Writes },
			"in mode full":   func(b *rig) { b.o.Cache.Mode = writeback.Full },
			"unanswered": func(b *rig) {
				for _, op := range []faulty.Op{faulty.Stat, faulty.Put, faulty.Mkdir, faulty.Remove} {
					b.faults.Inject(faulty.Fault{Op: op, Times: -1})
				}
			},
		} {
			if how == "unanswered" && c.asks {
				continue
			}
			t.Run(name+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newRigAt(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour}, &rig{
						disk: disktest.New(), far: func(m *memory.Remote) remote.Remote { return &objectStore{m} },
					})
					start(b)
					b.restart()
					b.upload("d/f", "x")
					c.change(b)
					b.wantSeen(c.seen...)
					b.restart()
					b.wantSeen(c.seen...)
					b.faults.Heal()
					time.Sleep(2 * time.Hour)
					b.flush()
					b.wantSeen(c.seen...)
					b.wantThere(c.seen...)
				})
			})
		}
	}
}

// A file of the remote that waits to be renamed into a directory that nobody made is renamed or
// removed once more.
func TestADirectoryOutlivesWhatWasToComeIntoIt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(b *rig)
		want   []string
	}{
		"renamed": {func(b *rig) { b.ok(b.Rename(b.t.Context(), "d/f", "g")) }, []string{"d/", "g=x"}},
		"removed": {func(b *rig) { b.ok(b.Remove(b.t.Context(), "d/f")) }, []string{"d/"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRigAt(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour}, &rig{
					disk: disktest.New(), far: func(m *memory.Remote) remote.Remote { return &objectStore{m} },
				})
				b.has("f", "x")
				b.wantSeen("f=x")
				for _, op := range []faulty.Op{faulty.Stat, faulty.Open, faulty.Put, faulty.Mkdir, faulty.Remove, faulty.Move, faulty.Copy} {
					b.faults.Inject(faulty.Fault{Op: op, Times: -1})
				}
				b.ok(b.Rename(t.Context(), "f", "d/f"))
				c.change(b)
				b.wantDir("d")
				b.faults.Heal()
				time.Sleep(2 * time.Hour)
				b.flush()
				b.wantSeen(c.want...)
				b.wantThere(c.want...)
			})
		})
	}
}

// wantDir checks that dir is a directory.
func (b *rig) wantDir(dir string) {
	b.t.Helper()
	if info, err := b.View.Stat(b.t.Context(), dir); err != nil || !info.IsDir() {
		b.t.Errorf("%s is %v, %v, want a directory", dir, info, err)
	}
}
