package vfs

import (
	"path"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk"
	"ferry/disk/disktest"
	"ferry/remote/faulty"
)

// interrupted is a disk that calls do once, before the next record of the cache gets its place.
type interrupted struct {
	disk.Disk
	mu sync.Mutex
	do func() // guarded by mu
}

func (d *interrupted) arm(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.do = do
}

func (d *interrupted) Rename(from, to string) error {
	d.mu.Lock()
	do := d.do
	if path.Dir(from) == "tmp" && path.Dir(to) == "dirty" {
		d.do = nil
	} else {
		do = nil
	}
	d.mu.Unlock()
	if do != nil {
		do()
	}
	return d.Disk.Rename(from, to)
}

// A client stores a file, renames it and stores the next one under the first name, while the removal of that name becomes a
// change of its own because the name is in doubt.
func TestARemovalInDoubtDoesNotHideWhatIsStoredMeanwhile(t *testing.T) {
	for name, end := range map[string]func(b *rig){
		"in one process": func(*rig) {},
		"over a restart": (*rig).restart,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &interrupted{Disk: disktest.New()}
				b := newRigAt(t, Cache{Mode: CacheWrites, WriteBack: time.Second}, &rig{disk: d.Disk.(*disktest.Disk), on: d})
				defer func() { b.stop() }()
				b.late(faulty.Put)
				b.upload("f.part", "old")
				time.Sleep(time.Second)
				synctest.Wait()
				b.ok(b.Rename(t.Context(), "f.part", "f"))
				sent := b.faults.Calls(faulty.Put)
				d.arm(func() { time.Sleep(10 * time.Second) }) // the disk is slow, and the other change is made
				b.upload("f.part", "new")
				synctest.Wait()
				if b.faults.Calls(faulty.Put) == sent {
					t.Fatal("the other change was not made")
				}
				b.wantSeen("f=old", "f.part=new")
				end(b)
				b.wantSeen("f=old", "f.part=new")
				b.flush()
				b.deliver()
				b.settle()
				b.wantThere("f=old", "f.part=new")
			})
		})
	}
}
