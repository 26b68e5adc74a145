package writeback

import (
	"path"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cache"
	"ferry/disk"
	"ferry/disk/disktest"
	"ferry/remote/wrap/faulty"
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

// A client stores a file, renames it and stores the next one under the first name, while the
// removal of that name becomes a change of its own because the name is in doubt.
func TestARemovalInDoubtDoesNotHideWhatIsStoredMeanwhile(t *testing.T) {
	for name, end := range map[string]func(b *rig){
		"in one process": func(*rig) {},
		"over a restart": (*rig).restart,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &interrupted{Disk: disktest.New()}
				b := newRigOn(t, Options{Mode: Writes, WriteBack: time.Second}, d.Disk.(*disktest.Disk), d)
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

// A removal that is split off is not made again after what was stored under its name while its
// record was written.
func TestARemovalThatIsSplitOffLeavesWhatIsNewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, Options{Mode: Writes, WriteBack: time.Hour, Gate: NewGate(4)})
		b.has("b", "old")
		_, err := b.Stat(t.Context(), "b")
		b.ok(err)
		b.upload("b", "moved")
		b.ok(b.Rename(t.Context(), "b", "c"))
		over := b.Tree
		c := over.pending.newest("c")
		removals, err := over.keepRemovals(t.Context(), c)
		b.ok(err)
		if len(removals) != 1 {
			t.Fatalf("%d removals", len(removals))
		}
		b.upload("b", "new")
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Delay: 5 * time.Second, Slow: true})
		sent := make(chan error, 1)
		go func() { sent <- b.Flush(t.Context(), "b") }()
		time.Sleep(7 * time.Second) // it is under way
		over.mu.Lock()
		c.rec.Removes = nil // it is over
		over.mu.Unlock()
		b.ok(over.watch(c, removals, time.Now().Add(doubtWindow)))
		b.ok(<-sent)
		time.Sleep(2 * time.Hour)
		b.wantThere("b=new", "c=moved")
	})
}

// What is stored under a name ends what is still looked at for the sake of that name, though it was
// not there when the upload was prepared.
func TestWhatIsStoredEndsTheAppliedChangesOfItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, Options{Mode: Writes, WriteBack: time.Hour})
		over := b.Tree
		var changes []*change
		for range 2 {
			rec, err := b.store.Add(t.Context(), cache.Record{Kind: cache.Removed, Name: "f"}, cache.Durable)
			b.ok(err)
			changes = append(changes, newChange(rec, time.Now().Add(time.Hour)))
		}
		over.mu.Lock()
		defer over.mu.Unlock()
		over.replace(changes[0])
		changes[0].keepUntil(time.Now().Add(doubtWindow))
		over.replace(changes[1])
		if !changes[0].dead || !slices.Contains(changes[1].stale, changes[0].rec.ID) {
			t.Errorf("the older one is still looked at: %v, its record will be left: %v", !changes[0].dead, changes[1].stale)
		}
	})
}
