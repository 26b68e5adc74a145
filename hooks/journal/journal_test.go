package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"ferry/disk"
	"ferry/disk/disktest"
)

func open(t *testing.T, d disk.Disk) *Journal {
	t.Helper()
	j, err := Open(d)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// contents returns all values, read.
func contents(t *testing.T, j *Journal) map[uint64]string {
	t.Helper()
	all := map[uint64]string{}
	live := int64(0)
	for _, key := range j.Keys() {
		value, err := j.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		all[key] = string(value)
		live += int64(len(value)) + headerSize
	}
	if live != j.Live() {
		t.Errorf("%d bytes are live, and it says %d", live, j.Live())
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestValuesAreKept(t *testing.T) {
	d := disktest.New()
	j := open(t, d)
	must(t, j.Put(2, []byte("two")))
	must(t, j.Put(1, []byte("one")))
	must(t, j.Put(2, nil))
	must(t, j.Put(3, []byte("three")))
	must(t, j.Delete(3))
	must(t, j.Delete(4))
	want := map[uint64]string{1: "one", 2: ""}
	if got := contents(t, j); !maps.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	must(t, j.Close())
	if err := j.Put(5, nil); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
	j = open(t, d)
	defer j.Close()
	if got := contents(t, j); !maps.Equal(got, want) || j.Cut() != 0 {
		t.Errorf("opened again: %v, %d bytes cut", got, j.Cut())
	}
	if value, err := j.Get(9); value != nil || err != nil {
		t.Errorf("a value out of nothing: %q, %v", value, err)
	}
}

func TestItIsOpenOnce(t *testing.T) {
	d, err := disk.Open(t.TempDir())
	must(t, err)
	defer d.Close()
	j := open(t, d)
	if _, err := Open(d); !errors.Is(err, disk.ErrHeld) {
		t.Errorf("opened twice: %v", err)
	}
	must(t, j.Close())
	must(t, open(t, d).Close())
}

// A file that ends anywhere, or whose end is something else, gives all records before.
func TestATornEnd(t *testing.T) {
	dir := t.TempDir()
	d, err := disk.Open(dir)
	must(t, err)
	defer d.Close()
	j := open(t, d)
	for key := range uint64(3) {
		must(t, j.Put(key, []byte(fmt.Sprint("value ", key))))
	}
	must(t, j.Close())
	name := dir + "/" + fileName
	whole, err := os.ReadFile(name)
	must(t, err)
	record := (len(whole) - len(magic)) / 3
	for size := range len(whole) + 1 {
		for _, junk := range [][]byte{nil, make([]byte, 40), bytes.Repeat([]byte{0xff}, 40), []byte("\x01\x02\x03\x04\x02\x00\x00\x00\x01")} {
			if size < len(magic) && junk != nil {
				continue
			}
			must(t, os.WriteFile(name, append(slices.Clone(whole[:size]), junk...), 0o600))
			j := open(t, d)
			want := max(size-len(magic), 0) / record
			if got := len(contents(t, j)); got != want {
				t.Fatalf("of %d bytes and %x: %d values, not %d", size, junk, got, want)
			}
			must(t, j.Put(7, []byte("new")))
			must(t, j.Close())
			j = open(t, d)
			if value, _ := j.Get(7); string(value) != "new" || j.Cut() != 0 {
				t.Fatalf("of %d bytes and %x: what was added after it is lost", size, junk)
			}
			must(t, j.Close())
		}
	}
	must(t, os.WriteFile(name, []byte("something else altogether"), 0o600))
	if _, err := Open(d); err == nil {
		t.Error("another file was taken for a journal")
	}
}

// A full disk fails one Put, and harms nothing.
func TestAFullDisk(t *testing.T) {
	d := disktest.New()
	j := open(t, d)
	must(t, j.Put(1, []byte("one")))
	d.SetSize(d.Used())
	if err := j.Put(2, make([]byte, 100_000)); err == nil {
		t.Fatal("it went in")
	}
	must(t, j.Put(3, []byte("three")))
	must(t, j.Close())
	j = open(t, d)
	if got := contents(t, j); !maps.Equal(got, map[uint64]string{1: "one", 3: "three"}) || j.Cut() != 0 {
		t.Errorf("got %v, %d bytes cut", got, j.Cut())
	}
}

// What is not there any more leaves the file, while others write.
func TestItIsWrittenAnew(t *testing.T) {
	dir := t.TempDir()
	d, err := disk.Open(dir)
	must(t, err)
	defer d.Close()
	j := open(t, d)
	value := make([]byte, 50_000)
	must(t, j.Put(1, []byte("stays")))
	for range 3 * leastGarbage / len(value) {
		must(t, j.Put(2, value))
	}
	must(t, j.Delete(2))
	var writers sync.WaitGroup
	for w := range uint64(4) {
		writers.Go(func() {
			for i := range uint64(200) {
				key := 100 + 1000*w + i
				if err := errors.Join(j.Put(key, []byte("x")), j.Put(key+500, nil), j.Delete(key+500), j.Sync()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	must(t, j.Compact())
	writers.Wait()
	must(t, j.Compact())
	check := func(j *Journal) {
		t.Helper()
		got := contents(t, j)
		if got[1] != "stays" || len(got) != 801 {
			t.Errorf("%d values", len(got))
		}
	}
	check(j)
	info, err := os.Stat(dir + "/" + fileName)
	must(t, err)
	if info.Size() > 200_000 {
		t.Errorf("%d bytes", info.Size())
	}
	must(t, j.Close())
	j = open(t, d)
	check(j)
	must(t, j.Close())
	if _, err := os.Stat(dir + "/" + newName); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the new file is left: %v", err)
	}
}

// The disk stops at each operation of a history, with and without a loss of power. What was said is
// kept is there, and what was said is deleted is not.
func TestItSurvivesAnyEnd(t *testing.T) {
	for stop := 1; ; stop++ {
		d := disktest.New()
		d.StopAt(stop, stop%2)
		h := history(d)
		stopped := d.Stopped()
		for seed := range uint64(3) {
			for name, loss := range map[string]disktest.Loss{"kill": disktest.Nothing(), "power": disktest.Everything(), "some": disktest.Some(seed)} {
				j, err := Open(d.Restart(loss))
				if err != nil {
					t.Fatalf("stopped at %d, %s: %v", stop, name, err)
				}
				possible := h.sinceSync
				if name == "kill" {
					possible = h.last
				}
				if got := contents(t, j); !slices.ContainsFunc(possible, func(s map[uint64]string) bool { return maps.Equal(s, got) }) {
					t.Fatalf("stopped at %d, %s: %.200q is none of %.1000q", stop, name, fmt.Sprint(got), fmt.Sprint(possible))
				}
			}
		}
		if !stopped {
			break
		}
	}
}

// A past is what a Journal can hold after an end.
type past struct {
	last      []map[uint64]string // after a kill: with the last change, or without it if it failed
	sinceSync []map[uint64]string // after a loss of power: as at the last sync, or any time after it
}

// history changes a journal until the disk stops.
func history(d *disktest.Disk) past {
	now := map[uint64]string{}
	h := past{last: []map[uint64]string{now}, sinceSync: []map[uint64]string{now}}
	j, err := Open(d)
	if err != nil {
		return h
	}
	defer j.Close()
	j.garbage = 300
	r := rand.New(rand.NewPCG(1, 2))
	for step := range 80 {
		next, key := maps.Clone(now), r.Uint64N(6)
		if r.IntN(4) == 0 {
			delete(next, key)
			err = j.Delete(key)
		} else {
			next[key] = fmt.Sprint(step, " ", string(bytes.Repeat([]byte{'x'}, r.IntN(100))))
			err = j.Put(key, []byte(next[key]))
		}
		h.sinceSync = append(h.sinceSync, next)
		if err != nil {
			h.last = []map[uint64]string{now, next}
			return h
		}
		now = next
		h.last = []map[uint64]string{now}
		if step%5 == 4 {
			if j.Sync() != nil {
				return h
			}
			h.sinceSync = []map[uint64]string{now}
		}
		if step%7 == 6 && j.Compact() != nil {
			return h
		}
	}
	return h
}

// Many who want the same wait for one sync.
func TestOneSyncForMany(t *testing.T) {
	d := disktest.New()
	j := open(t, d)
	defer j.Close()
	begun, goOn := make(chan struct{}, 100), make(chan struct{})
	syncs := 0
	d.Fail(func(op, _ string) error {
		if op == "sync" {
			syncs++
			begun <- struct{}{}
			<-goOn
		}
		return nil
	})
	must(t, j.Put(1, nil))
	var all sync.WaitGroup
	all.Go(func() { j.Sync() })
	<-begun
	var ready sync.WaitGroup
	for key := range uint64(20) {
		ready.Add(1)
		all.Go(func() {
			err := j.Put(key, nil)
			ready.Done()
			if err := errors.Join(err, j.Sync()); err != nil {
				t.Error(err)
			}
		})
	}
	ready.Wait()
	close(goOn)
	all.Wait()
	if syncs < 2 || syncs > 3 {
		t.Errorf("%d syncs for 21", syncs)
	}
}
