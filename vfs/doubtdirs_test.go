package vfs

import (
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// A directory is renamed, the answer is lost, and what is stored in it since is carried away when
// the request arrives late. What was acknowledged is stored again where it belongs.
func TestWhatALateRenameOfADirectoryTakesAlongIsStoredAgain(t *testing.T) {
	for _, mode := range []writeback.Mode{writeback.Writes, writeback.Full} {
		for name, end := range map[string]func(b *rig){
			"in one process": func(*rig) {}, "over a restart": (*rig).restart, "over a kill": (*rig).kill,
		} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newRig(t, writeback.Options{Mode: mode, Gate: writeback.NewGate(4)})
					defer func() { b.stop() }()
					b.has("d/a", "a")
					b.late(faulty.Move)
					if b.Rename(t.Context(), "d", "e") == nil {
						t.Fatal("it was answered")
					}
					end(b)
					b.upload("d/b", "new")
					b.flush()
					b.wantThere("d/", "d/a=a", "d/b=new")
					b.deliver()
					b.wantThere("e/", "e/a=a", "e/b=new")
					b.settle()
					b.wantThere("d/", "d/b=new", "e/", "e/a=a", "e/b=new")
				})
			})
		}
	}
}

// Without a cache an upload into a directory waits until it is known which one it is. Then it fails
// if there is none.
func TestAnUploadWaitsForALateRenameOfItsDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRigAt(t, writeback.Options{}, &rig{
			disk: disktest.New(), off: true, far: func(r *memory.Remote) remote.Remote { return plainFTP{r} },
		})
		defer func() { b.stop() }()
		b.has("d/a", "a")
		b.faults.Inject(faulty.Fault{Op: faulty.Move, Delayed: true, Until: 5 * time.Second, Err: errNetwork})
		if b.Rename(t.Context(), "d", "e") == nil {
			t.Fatal("it was answered")
		}
		if b.trySend("d/b", "new", 0) == nil {
			t.Error("an upload into a directory that was about to be renamed is acknowledged")
		}
		time.Sleep(time.Minute)
		b.wantThere("e/", "e/a=a")
	})
}

// A file in doubt is looked at a last time before its directory is renamed, and a removal before
// something else gets the name.
func TestWhatIsInDoubtIsLookedAtBeforeItsDirectoryIsRenamed(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(b *rig)
		want   []string
	}{
		"replaced": {func(b *rig) { b.upload("d/a", "new") }, []string{"e/", "e/a=new", "e/b=b"}},
		"removed":  {func(b *rig) { b.ok(b.Remove(b.t.Context(), "d/a")) }, []string{"e/", "e/b=b"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(t, writeback.Options{Mode: writeback.Writes, Gate: writeback.NewGate(4)})
				defer func() { b.stop() }()
				b.has("d/b", "b")
				// It arrives between two looks.
				b.faults.Inject(faulty.Fault{Op: faulty.Put, Delayed: true, Until: doubtPause - time.Second/2, Err: errNetwork})
				b.upload("d/a", "old")
				synctest.Wait()
				tt.change(b)
				b.flush()
				b.ok(b.Rename(t.Context(), "d", "e"))
				b.wantThere(tt.want...)
				b.settle()
				b.wantThere(tt.want...)
			})
		})
	}
}

// A file is stored at the second attempt, and then renamed. What the first attempt brings back
// under the old name is removed.
func TestWhatComesBackUnderANameThatARenameHasFreedIsRemoved(t *testing.T) {
	for _, mode := range []writeback.Mode{writeback.Writes, writeback.Full} {
		for name, end := range map[string]func(b *rig){
			"in one process": func(*rig) {}, "over a restart": (*rig).restart, "over a kill": (*rig).kill,
		} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newRig(t, writeback.Options{Mode: mode, Gate: writeback.NewGate(4)})
					defer func() { b.stop() }()
					b.late(faulty.Put)
					b.upload("a", "old")
					synctest.Wait()
					end(b)
					b.flush()
					_, err := b.Stat(t.Context(), "a") // it is known: so its rename is made one that waits
					b.ok(err)
					b.ok(b.Rename(t.Context(), "a", "b"))
					b.flush()
					b.wantThere("b=old")
					end(b)
					b.deliver() // brings a back
					b.settle()
					b.wantThere("b=old")
				})
			})
		}
	}
}

// A rename is not answered, its file is renamed once more while the remote is away, and then the
// first one arrives.
func TestASecondRenameFindsWhatTheFirstOneHasTakenAway(t *testing.T) {
	for name, tt := range map[string]struct {
		source string // what is renamed twice
		away   [2]string
		want   []string
	}{
		"by itself":                {"a", [2]string{"a", "b"}, []string{"c=content"}},
		"with its directory":       {"d/e/a", [2]string{"d/e", "b"}, []string{"b/", "c=content", "d/"}},
		"with a directory above":   {"d/e/a", [2]string{"d", "b"}, []string{"b/", "b/e/", "c=content"}},
		"into a directory beneath": {"d/e/a", [2]string{"d/e", "f/g"}, []string{"c=content", "d/", "f/", "f/g/"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(t, writeback.Options{Mode: writeback.Writes, Gate: writeback.NewGate(4)})
				defer func() { b.stop() }()
				b.has(tt.source, "content")
				b.has("c", "another one")
				if dir, _ := remote.Split(tt.away[1]); dir != "." {
					b.ok(b.inner.Mkdir(t.Context(), dir))
				}
				_, err := b.Stat(t.Context(), tt.source)
				b.ok(err)
				b.faults.Inject(faulty.Fault{Op: faulty.Move, Delayed: true, Until: 2 * doubtPause, Err: errNetwork})
				if b.Rename(t.Context(), tt.away[0], tt.away[1]) == nil {
					t.Fatal("it was answered")
				}
				time.Sleep(doubtPause)
				b.faults.Inject(faulty.Fault{Err: errNetwork, Times: -1})
				b.fs.breaker.Trip()
				b.ok(b.Rename(t.Context(), tt.source, "c"))
				time.Sleep(2 * doubtPause)
				b.faults.Heal()
				b.flush()
				b.settle()
				b.wantThere(tt.want...)
			})
		})
	}
}

// What cannot be looked at again waits until what is in doubt can have arrived: directories that
// are made and removed.
func TestADirectoryWaitsForWhatIsInDoubtAboutIt(t *testing.T) {
	for name, tt := range map[string]struct {
		op     faulty.Op
		first  func(b *rig) error
		second func(b *rig) error
		want   []string
	}{
		"made after it was removed": {
			faulty.Rmdir, func(b *rig) error { return b.Rmdir(b.t.Context(), "e") }, // somebody else was quicker
			func(b *rig) error { return b.Mkdir(b.t.Context(), "e") }, []string{"d/", "e/"},
		},
		"removed after it was made": {
			faulty.Mkdir, func(b *rig) error { return b.Mkdir(b.t.Context(), "e") },
			func(b *rig) error {
				if err := b.Mkdir(b.t.Context(), "e"); err != nil {
					return err
				}
				return b.Rmdir(b.t.Context(), "e")
			}, []string{"d/"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(t, writeback.Options{Mode: writeback.Writes, Gate: writeback.NewGate(4)})
				defer func() { b.stop() }()
				b.ok(b.inner.Mkdir(t.Context(), "d"))
				b.faults.Inject(faulty.Fault{Op: tt.op, Delayed: true, Until: doubtPause / 2, Err: errNetwork})
				if tt.first(b) == nil {
					t.Fatal("it was answered")
				}
				b.ok(tt.second(b))
				b.settle()
				b.wantThere(tt.want...)
				b.wantSeen(tt.want...)
			})
		})
	}
}
