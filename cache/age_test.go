package cache

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
)

// keepOne keeps a part of the size 4.
func keepOne(t *testing.T, s *Store, name string) {
	t.Helper()
	draft := begin(t, s, name)
	if _, err := io.WriteString(draft, "part"); err != nil {
		t.Fatal(err)
	}
	if err := draft.Keep(); err != nil {
		t.Fatal(err)
	}
}

// The clock of a synctest is decades behind that of this test.
func TestAPartThatWasKeptWhileTheClockWasAheadExpires(t *testing.T) {
	d := disktest.New()
	s := openMemory(t, d, Options{})
	keepOne(t, s, "f")
	closeStore(t, s)
	synctest.Test(t, func(t *testing.T) {
		s := openMemory(t, d.Restart(disktest.Nothing()), Options{PartMaxAge: 24 * time.Hour})
		defer closeStore(t, s)
		defer running(t, s)()
		time.Sleep(24*time.Hour - time.Minute)
		if n := len(s.PartsIn(".")); n != 1 {
			t.Error("it is gone within a day")
		}
		time.Sleep(3 * time.Minute)
		if n := len(s.PartsIn(".")); n != 0 {
			t.Error("it is there after a day")
		}
	})
}

func TestPartsDoNotExpireAtAStartWithAClockThatIsAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := disktest.New()
		s := openMemory(t, d, Options{})
		keepOne(t, s, "f")
		closeStore(t, s)
		time.Sleep(10 * 365 * 24 * time.Hour) // so the next process sees it
		s = openMemory(t, d.Restart(disktest.Nothing()), Options{PartMaxAge: 24 * time.Hour})
		defer closeStore(t, s)
		defer running(t, s)()
		time.Sleep(clockGrace - time.Minute)
		if n := len(s.PartsIn(".")); n != 1 {
			t.Error("it is gone at once")
		}
		time.Sleep(3 * time.Minute)
		if n := len(s.PartsIn(".")); n != 0 {
			t.Error("it stays though the clock says so still")
		}
	})
}

func TestAPartDoesNotExpireWhenTheClockWasPutRight(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Now()
	for what, test := range map[string]struct {
		kept, wall time.Duration // how long ago, as the start and as the clock say
		want       bool
	}{
		"old":           {25 * time.Hour, 25 * time.Hour, true},
		"young":         {23 * time.Hour, 23 * time.Hour, false},
		"was ahead":     {3650 * day, 2 * time.Hour, false},
		"was set ahead": {2 * time.Hour, 3650 * day, false},
		"was set back":  {25 * time.Hour, -3650 * day, true},
	} {
		pt := part{kept: now.Add(-test.kept), info: PartInfo{ModTime: now.Round(0).Add(-test.wall)}}
		if got := pt.expired(now, day); got != test.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

func TestACopyThatWasUsedWhileTheClockWasAheadExpires(t *testing.T) {
	d := disktest.New()
	s := openStore(t, d, Options{})
	put(t, openCopy(t, s, "ahead", "v", 10), 0, 10)
	closeStore(t, s)
	synctest.Test(t, func(t *testing.T) {
		d = d.Restart(disktest.Nothing())
		s := openStore(t, d, Options{MaxAge: time.Hour, PollInterval: time.Minute})
		defer background(t, s)()
		time.Sleep(time.Minute)
		c := openCopy(t, s, "later", "v", 10)
		put(t, c, 0, 10)
		closeCopy(t, c)
		time.Sleep(57 * time.Minute)
		if _, ok := s.Last("ahead"); !ok {
			t.Error("it is gone within the hour")
		}
		time.Sleep(6 * time.Minute)
		for _, name := range []string{"ahead", "later"} {
			if _, ok := s.Last(name); ok {
				t.Errorf("%s is still there", name)
			}
		}
	})
}

func TestCopiesDoNotExpireAtAStartWithAClockThatIsAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := disktest.New()
		s := openStore(t, d, Options{})
		put(t, openCopy(t, s, "f", "v", 10), 0, 10)
		closeStore(t, s)
		time.Sleep(10 * 365 * 24 * time.Hour)
		s = openStore(t, d.Restart(disktest.Nothing()), Options{MaxAge: 24 * time.Hour, PollInterval: time.Minute})
		defer background(t, s)()
		time.Sleep(clockGrace - time.Minute)
		if _, ok := s.Last("f"); !ok {
			t.Error("it is gone at once")
		}
		time.Sleep(3 * time.Minute)
		if _, ok := s.Last("f"); ok {
			t.Error("it stays though the clock says so still")
		}
	})
}

// TestAKilledUploadAgesAcrossRestarts restarts a process twice as often as a part may be old.
func TestAKilledUploadAgesAcrossRestarts(t *testing.T) {
	for name, kept := range map[string]bool{"a new one": false, "one that was continued": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const age, half = 24 * time.Hour, 12 * time.Hour
				d := disktest.New()
				s := openMemory(t, d, Options{PartMaxAge: age})
				begun := CreateOptions{Name: "f", Owner: "o"}
				if kept {
					keepOne(t, s, "f")
					time.Sleep(age - time.Hour)
					begun.Owner, begun.Part, begun.Off = s.PartsIn(".")[0].Owner, true, 4
				}
				draft, err := s.Create(t.Context(), begun)
				if err != nil {
					t.Fatal(err)
				}
				write(t, draft, describeAfter)
				time.Sleep(half) // it is slow
				write(t, draft, describeAfter)
				last := time.Now()
				for _, old := range []time.Duration{half, age - time.Minute, age + half} {
					time.Sleep(time.Until(last.Add(old - clockGrace)))
					d = d.Restart(disktest.Nothing())
					s = openMemory(t, d, Options{PartMaxAge: age})
					stop := running(t, s)
					time.Sleep(time.Until(last.Add(old)))
					parts := s.PartsIn(".")
					if old < age && (len(parts) != 1 || !parts[0].ModTime.Equal(last)) {
						t.Errorf("%v after its last byte: %+v", old, parts)
					}
					time.Sleep(2 * time.Minute)
					if parts := s.PartsIn("."); old > age && len(parts) != 0 {
						t.Errorf("%v after its last byte there is still %+v", old, parts)
					}
					stop()
					closeStore(t, s)
				}
			})
		})
	}
}

func write(t *testing.T, d *Draft, n int) {
	t.Helper()
	if _, err := d.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
}

func TestOfTwoKilledUploadsTheLaterOneIsThePart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const names = 8 // the order in the directory is by chance
		d := disktest.New()
		s := openMemory(t, d, Options{})
		for n := range int64(2) {
			for i := range names {
				write(t, begin(t, s, fmt.Sprint(i)), int(describeAfter+n))
			}
			time.Sleep(time.Minute)
		}
		s = openMemory(t, d.Restart(disktest.Nothing()), Options{})
		defer closeStore(t, s)
		parts := s.PartsIn(".")
		if len(parts) != names {
			t.Errorf("there are %d parts", len(parts))
		}
		for _, p := range parts {
			if p.Size != describeAfter+1 {
				t.Errorf("%s is the earlier one, of %d bytes", p.Name, p.Size)
			}
		}
	})
}
