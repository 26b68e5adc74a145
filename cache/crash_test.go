package cache

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"ferry/disk"
	"ferry/disk/disktest"
)

// A crash is one way to lose what was not synced.
type crash struct {
	name string
	loss func() disktest.Loss
}

// thorough reports whether the crash tests shall try more ways to lose at each instant than a short
// run can.
func thorough() bool { return os.Getenv("FERRY_TEST_CRASH") == "full" }

// crashes are the ways in which the n-th test loses.
func crashes(n int) []crash {
	all := []crash{{"nothing", disktest.Nothing}, {"everything", disktest.Everything}}
	seeds := 2
	if thorough() {
		seeds = 50
	}
	for i := range seeds {
		seed := uint64(n*seeds + i)
		all = append(all, crash{fmt.Sprintf("some (seed %d)", seed), func() disktest.Loss { return disktest.Some(seed) }})
	}
	return all
}

// interruptedBy plays a history on a new disk that stops at the n-th change. It returns false when
// there are fewer.
func interruptedBy(t *testing.T, n int, play func(h *history)) (*disktest.Disk, *history, bool) {
	d := disktest.New()
	s, err := Open(someNamed(d, n), Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := newHistory(t, s, Durable)
	d.StopAt(n, n%3)
	play(h)
	return d, h, h.ended
}

// someNamed returns d, or, in each second run, d without the ability to make files without a name.
func someNamed(d *disktest.Disk, n int) disk.Disk {
	if n%2 == 0 {
		return struct{ disk.Disk }{d}
	}
	return d
}

// interrupted plays the long history on a new disk, with acknowledgements of one kind or of both.
func interrupted(t *testing.T, n int, dur Durability, mixed bool) (*disktest.Disk, *history, bool) {
	return interruptedBy(t, n, func(h *history) {
		h.durability, h.mixed, h.wide = dur, mixed, filled("name", 3*disktest.SectorSize)
		if mixed {
			h.wide = "name" // so that they can survive what belongs to them
		}
		h.play()
	})
}

func reopen(d *disktest.Disk) (*Store, error) {
	s, err := Open(d, Options{})
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	if st := s.Stats(); st.Drafts.Files != 0 {
		return nil, fmt.Errorf("drafts are left: %+v", st)
	}
	known := map[string]bool{}
	for _, in := range s.parts {
		for _, pt := range in {
			known[pt.path] = true
		}
	}
	for _, name := range d.Files() {
		if strings.HasPrefix(name, tmpDir+"/") && !known[name] {
			return nil, fmt.Errorf("left is %s", name)
		}
	}
	return s, nil
}

func TestEveryInstantOfACrashKeepsWhatWasAcknowledged(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	for n := 1; ; n++ {
		d, h, stopped := interrupted(t, n, Durable, false)
		for i, c := range crashes(n) {
			s, err := reopen(d.Restart(c.loss()))
			if err == nil {
				err = h.check(s)
			}
			if err == nil && (thorough() || i == n%4) {
				err = h.crashAgain(d, c, n)
			}
			if err != nil {
				t.Fatalf("stopped at change %d, lost %s: %v", n, c.name, err)
			}
		}
		if !stopped {
			t.Logf("%d instants", n-1)
			return
		}
	}
}

// crashAgain crashes a second time, in the middle of recovery or behind it: nothing that the first
// crash left is lost.
func (h *history) crashAgain(d *disktest.Disk, c crash, n int) error {
	for m := 4 + n%4; m <= 16; m += 4 {
		twice := d.Restart(c.loss())
		twice.StopAt(m, 0)
		if _, err := Open(twice, Options{}); err != nil && !errors.Is(err, disktest.ErrStopped) {
			return fmt.Errorf("stopped again at %d: %w", m, err)
		}
		s, err := reopen(twice.Restart(disktest.Some(uint64(n * m))))
		if err == nil {
			err = h.check(s)
		}
		if err != nil {
			return fmt.Errorf("stopped again at %d: %w", m, err)
		}
	}
	return nil
}

func TestEveryInstantOfAKillKeepsWhatWasSpooled(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	for n := 1; ; n++ {
		d, h, stopped := interrupted(t, n, Spooled, false)
		s, err := reopen(d.Restart(disktest.Nothing()))
		if err == nil {
			err = h.check(s)
		}
		if err != nil {
			t.Fatalf("stopped at change %d: %v", n, err)
		}
		if !stopped {
			return
		}
	}
}

func TestALossOfPowerNeverBreaksWhatWasSpooled(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	for _, mixed := range []bool{false, true} {
		for n := 1; ; n++ {
			d, h, stopped := interrupted(t, n, Spooled, mixed)
			seeds := uint64(12)
			if thorough() {
				seeds = 200
			}
			for seed := range seeds {
				loss := disktest.Everything()
				if seed > 0 {
					loss = disktest.Some(seed * uint64(n))
				}
				if err := h.checkUnbroken(t, d.Restart(loss)); err != nil {
					t.Fatalf("stopped at change %d, lost %d (mixed: %t): %v", n, seed, mixed, err)
				}
			}
			if !stopped {
				break
			}
		}
	}
}

func TestEveryInstantOfSettlingKeepsItHonest(t *testing.T) {
	for n := 1; ; n++ {
		d, h, stopped := interruptedBy(t, n, func(h *history) {
			h.durability = Spooled
			for i := range 3 {
				text := filled(fmt.Sprint("text", i), 2*disktest.SectorSize)
				h.store(CreateOptions{Name: fmt.Sprint(i)}, text, text)
			}
			h.call(func() error { return h.s.syncSpooled() }, func(*promises) {})
		})
		for seed := range uint64(40) {
			if err := h.checkUnbroken(t, d.Restart(disktest.Some(seed))); err != nil {
				t.Fatalf("stopped at change %d, seed %d: %v", n, seed, err)
			}
		}
		if !stopped {
			s := openMemory(t, d.Restart(disktest.Everything()), Options{})
			if waiting := len(s.Pending()); waiting != 3 {
				t.Errorf("settled are %d", waiting)
			}
			return
		}
	}
}

// checkUnbroken makes sure that nothing would be sent that nobody stored.
func (h *history) checkUnbroken(t *testing.T, d *disktest.Disk) error {
	s, err := Open(d, Options{})
	if err != nil {
		return err
	}
	for _, r := range s.Pending() {
		if r.Kind != File {
			continue
		}
		if got := contentOf(t, s, r.ID); !h.kept[r.Name+"="+got] {
			return fmt.Errorf("%s would be sent with %d bytes that nobody stored", r.Name, len(got))
		}
	}
	got, err := held(s)
	if err != nil && !errors.Is(err, errBroken) {
		return err
	}
	return h.checkParts(got, false)
}

// An overwrite that a process was killed in wins over what it replaces, which is dropped: then it
// must not be lost itself.
func TestEveryInstantOfARecoveryKeepsOneOfTwo(t *testing.T) {
	for n := 1; ; n++ {
		d, h, stopped := interruptedBy(t, n, func(h *history) {
			for _, text := range []string{"first", "second"} {
				h.store(CreateOptions{Name: "a"}, text, text)
			}
		})
		for m, again := 1, true; again; m++ {
			killed := d.Restart(disktest.Nothing())
			killed.StopAt(m, 0)
			if _, err := Open(killed, Options{}); err != nil && !errors.Is(err, disktest.ErrStopped) {
				t.Fatal(err)
			}
			again = killed.Stopped()
			for seed := range uint64(20) {
				s, err := reopen(killed.Restart(disktest.Some(seed)))
				if err == nil {
					err = h.check(s)
				}
				if err != nil {
					t.Fatalf("stopped at change %d, then at %d, seed %d: %v", n, m, seed, err)
				}
			}
		}
		if !stopped {
			return
		}
	}
}

// What a process finds that was killed before may not be synced. What it builds upon that is.
func TestEveryInstantOfAKillAndALossOfPower(t *testing.T) {
	wide := filled("name", 3*disktest.SectorSize)
	for n := 1; ; n++ {
		d, first, stopped := interruptedBy(t, n, func(h *history) {
			a := h.store(CreateOptions{Name: "a" + wide}, filled("text", 5*disktest.SectorSize), filled("text", 5*disktest.SectorSize))
			h.rename(a, "b"+wide)
			h.rename(a, "c"+wide)
		})
		for m := 1; ; m++ {
			killed := d.Restart(disktest.Nothing())
			s, err := reopen(killed)
			if err != nil {
				t.Fatal(err)
			}
			second := newHistory(t, s, Durable)
			if second.now, err = held(s); err != nil {
				t.Fatal(err)
			}
			second.seq, second.kept = 100, first.kept
			killed.StopAt(m, m%2)
			for id := range second.now.waiting {
				second.rename(id, "d"+wide)
			}
			for seed := range uint64(6) {
				s, err := reopen(killed.Restart(disktest.Some(seed)))
				if err == nil {
					err = second.checkNames(s, "a"+wide, "b"+wide, "c"+wide)
				}
				if err != nil {
					t.Fatalf("stopped at change %d, then at %d, seed %d: %v", n, m, seed, err)
				}
			}
			if !second.ended {
				break
			}
		}
		if !stopped {
			return
		}
	}
}

// checkNames compares what waits with what was promised; a rename that was not acknowledged may
// have gone back to one of the names before.
func (h *history) checkNames(s *Store, before ...string) error {
	got, err := held(s)
	if err != nil || reached(got, h.now) || reached(got, h.next) {
		return err
	}
	if h.ended && len(got.waiting) == len(h.now.waiting) {
		for _, f := range got.waiting {
			if !slices.Contains(before, f.name) || !h.kept[f.name+"="+f.text] {
				return fmt.Errorf("there is %v", brief(got))
			}
		}
		return nil
	}
	return fmt.Errorf("there is %v\nbut promised was %v", brief(got), brief(h.now))
}
