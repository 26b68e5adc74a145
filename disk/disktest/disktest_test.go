package disktest_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
)

func TestALossOfPowerTakesWhatWasNotSynced(t *testing.T) {
	d := disktest.New()
	f := create(t, d, "f", "old")
	for _, err := range []error{f.Sync(), d.SyncDir("."), d.Mkdir("dir")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.WriteAt([]byte("new and longer"), 0); err != nil {
		t.Fatal(err)
	}
	put(t, d, "g", "text")
	want(t, d.Restart(disktest.Nothing()), "f", "new and longer")
	want(t, d.Restart(disktest.Nothing()), "g", "text")
	after := d.Restart(disktest.Everything())
	want(t, after, "f", "old")
	if got := strings.Join(after.Files(), " "); got != "f" {
		t.Errorf("left are %q", got)
	}
	if err := after.SyncDir("dir"); err == nil {
		t.Error("the directory is there")
	}
	want(t, d, "f", "new and longer") // the old disk is another
}

func TestALossOfPowerIsSeenByBoot(t *testing.T) {
	d := disktest.New()
	if d.Restart(disktest.Nothing()).Boot() != d.Boot() {
		t.Error("the death of a process is a new boot")
	}
	if d.Restart(disktest.Everything()).Boot() == d.Boot() {
		t.Error("a loss of power is no new boot")
	}
}

func TestARenameHappensAsAWholeOrNot(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(50) {
		d := disktest.New()
		for _, dir := range []string{"a", "b"} {
			if err := d.Mkdir(dir); err != nil {
				t.Fatal(err)
			}
		}
		f := create(t, d, "a/f", "text")
		for _, err := range []error{f.Sync(), f.Close(), d.SyncDir("."), d.SyncDir("a"), d.Rename("a/f", "b/f")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		seen[strings.Join(d.Restart(disktest.Some(seed)).Files(), " ")] = true
		if err := d.SyncDir("b"); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(d.Restart(disktest.Everything()).Files(), " "); got != "b/f" {
			t.Fatalf("after the sync of one directory there are %q", got)
		}
	}
	if len(seen) != 2 || !seen["a/f"] || !seen["b/f"] {
		t.Errorf("seen: %v", seen)
	}
}

func TestChangesOfOneNameAreLostFromTheEnd(t *testing.T) {
	for seed := range uint64(50) {
		d := disktest.New()
		put(t, d, "a", "")
		for _, err := range []error{d.Rename("a", "b"), d.Rename("b", "c")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := d.Restart(disktest.Some(seed)).Files(); len(got) > 1 {
			t.Fatalf("seed %d: one file has the names %q", seed, got)
		}
	}
}

func TestSectorsAreLostByThemselves(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(50) {
		d := disktest.New()
		f := create(t, d, "f", strings.Repeat("-", 2*disktest.SectorSize))
		for _, err := range []error{f.Sync(), d.SyncDir(".")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.WriteAt([]byte(strings.Repeat("+", 2*disktest.SectorSize)), 0); err != nil {
			t.Fatal(err)
		}
		text, _ := get(t, d.Restart(disktest.Some(seed)), "f")
		seen[text[:1]+text[disktest.SectorSize:][:1]] = true
	}
	if len(seen) != 4 {
		t.Errorf("seen: %v", seen)
	}
}

func TestTheDiskStopsAtAnOperation(t *testing.T) {
	d := disktest.New()
	f := create(t, d, "f", "")
	d.StopAt(2, 1)
	page := strings.Repeat("x", disktest.PageSize)
	if _, err := f.WriteAt([]byte(page), 0); err != nil {
		t.Fatal(err)
	}
	if n, err := f.WriteAt([]byte(page+page), disktest.PageSize); n != 0 || !errors.Is(err, disktest.ErrStopped) || !d.Stopped() {
		t.Errorf("wrote %d, %v", n, err)
	}
	for _, err := range []error{f.Sync(), d.Remove("f"), d.Mkdir("d"), d.SyncDir(".")} {
		if !errors.Is(err, disktest.ErrStopped) {
			t.Errorf("after it stopped: %v", err)
		}
	}
	want(t, d.Restart(disktest.Nothing()), "f", page+page)
}

func TestTheDiskFillsUp(t *testing.T) {
	d := disktest.New()
	d.SetSize(3 * disktest.PageSize)
	put(t, d, "a", "one page")
	f := create(t, d, "b", "")
	n, err := f.WriteAt(make([]byte, 4*disktest.PageSize), 0)
	if n != 2*disktest.PageSize || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("wrote %d, %v", n, err)
	}
	if free, err := d.Free(); free != 0 || err != nil {
		t.Errorf("%d bytes are free, %v", free, err)
	}
	if err := d.Remove("a"); err != nil {
		t.Fatal(err)
	}
	if n, err := f.WriteAt([]byte("more"), int64(n)); n != 4 || err != nil {
		t.Errorf("then wrote %d, %v", n, err)
	}
	if d.Used() != 3*disktest.PageSize || d.Peak() != 3*disktest.PageSize {
		t.Errorf("used %d, at most %d", d.Used(), d.Peak())
	}
}

func TestTheDiskIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := disktest.New()
		d.Delay(func(op, _ string) time.Duration {
			if op == "sync" {
				return time.Hour
			}
			return 0
		})
		f := create(t, d, "f", "")
		begin := time.Now()
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != time.Hour {
			t.Errorf("it took %v", took)
		}
	})
}

func TestErrorsAreInjected(t *testing.T) {
	d := disktest.New()
	broken := errors.New("broken")
	d.Fail(func(op, name string) error {
		if op == "rename" && name == "a" {
			return broken
		}
		return nil
	})
	put(t, d, "a", "")
	if err := d.Rename("a", "b"); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestTheLogSaysWhatWasDone(t *testing.T) {
	d := disktest.New()
	d.StartLog()
	f := create(t, d, "a", "text")
	for _, err := range []error{f.Sync(), f.Truncate(2), f.PunchHole(0, 1), d.Rename("a", "b"), d.SyncDir("."), d.Remove("b")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range d.ReadDir(".") {
		t.Error("something is left", err)
	}
	if _, err := f.ReadAt(make([]byte, 2), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := d.OpenFile("c", os.O_RDONLY); err == nil {
		t.Fatal("it is there")
	}
	const expected = `create a
write a 0+4
sync a
truncate a 2
punch a 0+1
rename a b
syncdir .
remove b
readdir .
read b 0+2
open c`
	if got := d.Log(); got != expected {
		t.Errorf("the log is\n%s\ninstead of\n%s", got, expected)
	}
}

func ExampleDisk() {
	d := disktest.New()
	if _, err := d.OpenFile("f", os.O_RDWR|os.O_CREATE); err != nil {
		fmt.Println(err)
	}
	fmt.Println(d.Files(), d.Restart(disktest.Everything()).Files())
	// Output: [f] []
}

func TestANameIsLostWithThePowerUnlessItWasSynced(t *testing.T) {
	d := disktest.New()
	for _, name := range []string{"synced", "not"} {
		f, err := d.CreateUnnamed(".")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Sync(), d.Name(f, name), f.Close()); err != nil {
			t.Fatal(err)
		}
		if name == "synced" {
			if err := d.SyncDir("."); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := d.Restart(disktest.Everything()).Files(); len(got) != 1 || got[0] != "synced" {
		t.Errorf("after a loss of power there are %q", got)
	}
	if got := d.Restart(disktest.Nothing()).Files(); len(got) != 2 {
		t.Errorf("after the death of the process there are %q", got)
	}
}
