package cache

import (
	"context"
	"testing"
	"time"

	"ferry/disk/disktest"
)

// TestCopiesAfterACrash stops the disk at each operation of a history, in which copies are written,
// grow, are punched, change their version, move and go, and looks at what the next process believes
// to be there.
func TestCopiesAfterACrash(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	count := disktest.New()
	copyHistory(count)
	ops := count.Changes()
	if ops < 40 {
		t.Fatalf("the history has only %d operations", ops)
	}
	believed := 0
	for n := 1; n <= ops; n++ {
		d := disktest.New()
		d.StopAt(n, n%3)
		copyHistory(d)
		losses := []disktest.Loss{disktest.Nothing(), disktest.Everything()}
		for seed := range uint64(6) {
			losses = append(losses, disktest.Some(seed+uint64(n)*100))
		}
		for i, l := range losses {
			s := openStore(t, d.Restart(l), Options{})
			for _, name := range []string{"a", "b"} {
				if p, ok := s.Last(name); ok {
					c := openCopy(t, s, name, p.Version, p.Size)
					if checkHeld(t, c, p.Size) > 0 {
						believed++
					}
					closeCopy(t, c)
				}
			}
			if t.Failed() {
				t.Fatalf("after %d operations and loss %d", n, i)
			}
		}
	}
	if believed < ops {
		t.Errorf("only %d copies were believed to be there", believed)
	}
	t.Logf("%d operations, %d copies believed", ops, believed)
}

const historySize = 5 << 18

// copyHistory does everything to two copies, as far as the disk lets it. Its errors do not matter:
// after the first the disk has stopped.
func copyHistory(d *disktest.Disk) {
	s, err := Open(d, Options{})
	if err != nil {
		return
	}
	d.SyncDir("clean")
	later := time.Now().Add(time.Hour)
	with := func(name, version string, use func(c *Copy)) {
		c, err := s.Copy(name, fingerprintOf(version, historySize))
		if err != nil {
			return
		}
		use(c)
		c.Close()
		d.SyncDir(copyKeyOf(name).path()[:len("clean/xx")])
	}
	write := func(c *Copy, off, n int64) { _ = c.WriteAt(text(c.c.fingerprint.Version, off, n), off) }
	with("a", "one", func(c *Copy) { write(c, 0, 1<<18) })
	s.copies.syncSpooled(context.Background(), later)
	with("a", "one", func(c *Copy) { write(c, 1<<18, 1<<18); write(c, 4<<18, 1<<18) })
	with("a", "one", func(c *Copy) { s.copies.evict(1) })
	with("a", "one", func(c *Copy) {
		write(c, 0, 1<<18)
		s.copies.syncSpooled(context.Background(), later)
		s.copies.evict(1)
	})
	with("a", "one", func(c *Copy) { write(c, 2<<18, 1<<18) })
	s.copies.syncSpooled(context.Background(), later)
	with("b", "two", func(c *Copy) { write(c, 0, historySize) })
	s.copies.syncSpooled(context.Background(), later)
	with("a", "six", func(c *Copy) { write(c, 0, 3<<18) })
	_ = s.MoveCopy("a", "b")
	s.copies.syncSpooled(context.Background(), later)
	with("b", "six", func(c *Copy) { s.copies.evict(1 << 18); write(c, 3<<18, 1<<18) })
	if dr, err := s.Create(context.Background(), CreateOptions{Name: "a", Owner: "bob"}); err == nil {
		_, _ = dr.Write(text("new", 0, historySize))
		if r, err := dr.Commit(context.Background(), Record{Name: "a"}, Spooled); err == nil {
			_ = s.Done(r.ID, fingerprintOf("new", historySize), true)
		}
	}
	with("a", "new", func(c *Copy) { s.copies.syncSpooled(context.Background(), later); s.copies.evict(1) })
	_ = s.Forget("b")
	_ = s.Close()
}
