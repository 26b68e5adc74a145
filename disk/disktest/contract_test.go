package disktest_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/disk"
	"ferry/disk/disktest"
)

// each runs a test of the contract of disk.Disk over a real one and over the one in memory.
func each(t *testing.T, test func(t *testing.T, d disk.Disk)) {
	t.Run("real", func(t *testing.T) {
		d, err := disk.Open(t.TempDir() + "/made/by/open")
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		test(t, d)
	})
	t.Run("memory", func(t *testing.T) { test(t, disktest.New()) })
}

func create(t *testing.T, d disk.Disk, name, text string) disk.File {
	t.Helper()
	f, err := d.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t *testing.T, d disk.Disk, name, text string) {
	t.Helper()
	closed(t, create(t, d, name, text))
}

func closed(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// get returns the content of a file, and false where there is none.
func get(t *testing.T, d disk.Disk, name string) (string, bool) {
	t.Helper()
	f, err := d.OpenFile(name, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Reader(0)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, r)
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), true
}

func want(t *testing.T, d disk.Disk, name, text string) {
	t.Helper()
	if got, ok := get(t, d, name); !ok || got != text {
		t.Errorf("%s is %q (exists: %t), not %q", name, got, ok, text)
	}
}

func TestAFileIsWrittenAndReadAtOffsets(t *testing.T) {
	each(t, func(t *testing.T, d disk.Disk) {
		f := create(t, d, "f", "head")
		defer closed(t, f)
		if n, err := f.ReadFromAt(strings.NewReader("tail"), 10_000); n != 4 || err != nil {
			t.Fatal(n, err)
		}
		if size, err := f.Size(); size != 10_004 || err != nil {
			t.Errorf("size %d, %v", size, err)
		}
		got := make([]byte, 10_010)
		n, err := f.ReadAt(got, 0)
		if n != 10_004 || !errors.Is(err, io.EOF) {
			t.Errorf("read %d, %v", n, err)
		}
		if !bytes.Equal(got[:n], slices.Concat([]byte("head"), make([]byte, 9_996), []byte("tail"))) {
			t.Error("the content is another")
		}
		for _, change := range []error{f.Truncate(10_002), f.Sync(), f.Truncate(10_003)} {
			if change != nil {
				t.Error(change)
			}
		}
		n, err = f.ReadAt(got[:5], 9_999)
		if string(got[:n]) != "\x00ta\x00" || !errors.Is(err, io.EOF) {
			t.Errorf("read %q, %v", got[:n], err)
		}
	})
}

func TestAFileKnowsWhenItWasChanged(t *testing.T) {
	each(t, func(t *testing.T, d disk.Disk) {
		before := time.Now().Add(-time.Second) // the clock of a file system is coarse
		put(t, d, "f", "text")
		f, err := d.OpenFile("f", os.O_RDONLY)
		if err != nil {
			t.Fatal(err)
		}
		changed, err := f.ModTime()
		if err != nil || changed.Before(before) || changed.After(time.Now().Add(time.Second)) {
			t.Errorf("it was changed at %v, %v", changed, err)
		}
		closed(t, f)
		if _, err := f.ModTime(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("of a closed one: %v", err)
		}
	})
}

func TestAHoleReadsAsZerosAndFreesItsRoom(t *testing.T) {
	each(t, func(t *testing.T, d disk.Disk) {
		text := strings.Repeat("x", 5*disktest.PageSize)
		f := create(t, d, "f", text)
		defer closed(t, f)
		err := f.PunchHole(disktest.PageSize, 2*disktest.PageSize)
		if errors.Is(err, errors.ErrUnsupported) {
			return // the contract allows it
		}
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(text))
		if _, err := f.ReadAt(got, 0); err != nil {
			t.Fatal(err)
		}
		hole := strings.Repeat("\x00", 2*disktest.PageSize)
		if string(got) != text[:disktest.PageSize]+hole+text[3*disktest.PageSize:] {
			t.Error("the content is another")
		}
		if m, ok := d.(*disktest.Disk); ok && m.Used() != 3*disktest.PageSize {
			t.Errorf("%d bytes are in use", m.Used())
		}
	})
}

func TestNamesAreMadeMovedAndRemoved(t *testing.T) {
	each(t, func(t *testing.T, d disk.Disk) {
		for _, dir := range []string{"a", "a", "b", "a/c"} {
			if err := d.Mkdir(dir); err != nil {
				t.Fatal(err)
			}
		}
		put(t, d, "a/f", "new")
		put(t, d, "b/f", "old")
		if _, err := d.OpenFile("a/f", os.O_RDWR|os.O_CREATE|os.O_EXCL); !errors.Is(err, fs.ErrExist) {
			t.Errorf("made again: %v", err)
		}
		if err := d.Rename("a/f", "b/f"); err != nil {
			t.Fatal(err)
		}
		want(t, d, "b/f", "new")
		if _, ok := get(t, d, "a/f"); ok {
			t.Error("the old name is still there")
		}
		for _, missing := range []error{d.Rename("a/f", "b/g"), d.Remove("a/f"), d.SyncDir("none"), d.Mkdir("no/dir")} {
			if !errors.Is(missing, fs.ErrNotExist) {
				t.Errorf("what is missing: %v", missing)
			}
		}
		var found []string
		for e, err := range d.ReadDir("a") {
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, e.Name())
		}
		if !slices.Equal(found, []string{"c"}) {
			t.Errorf("the directory has %q", found)
		}
		for _, err := range []error{d.SyncDir("b"), d.SyncDir("."), d.Remove("b/f"), d.Remove("b")} {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

func TestARemovedFileStaysReadable(t *testing.T) {
	each(t, func(t *testing.T, d disk.Disk) {
		put(t, d, "f", "text")
		f, err := d.OpenFile("f", os.O_RDONLY)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Remove("f"); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 4)
		if _, err := f.ReadAt(got, 0); err != nil || string(got) != "text" {
			t.Errorf("read %q, %v", got, err)
		}
		if _, err := f.WriteAt(got, 0); err == nil {
			t.Error("a file that was opened for reading is written")
		}
		closed(t, f)
		if m, ok := d.(*disktest.Disk); ok && m.Used() != 0 {
			t.Errorf("%d bytes are in use", m.Used())
		}
	})
}

func TestNothingLeadsOutOfTheTree(t *testing.T) {
	each(t, func(t *testing.T, d disk.Disk) {
		for _, name := range []string{"../f", "/etc/passwd", "a/../../f"} {
			if f, err := d.OpenFile(name, os.O_RDWR|os.O_CREATE); err == nil {
				t.Errorf("%s was opened", name)
				closed(t, f)
			}
		}
	})
}

func TestTheLockIsHeldOnce(t *testing.T) {
	each(t, func(t *testing.T, d disk.Disk) {
		lock, err := d.Lock("lock")
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Lock("lock")
		held := (*disk.HeldError)(nil)
		if !errors.As(err, &held) || !errors.Is(err, disk.ErrHeld) || held.PID == 0 || held.Dir == "" {
			t.Errorf("the second one: %v", err)
		}
		closed(t, lock)
		lock, err = d.Lock("lock")
		if err != nil {
			t.Fatal(err)
		}
		closed(t, lock)
	})
}

func TestFreeSpaceIsKnownOrUnsupported(t *testing.T) {
	each(t, func(t *testing.T, d disk.Disk) {
		free, err := d.Free()
		if free <= 0 && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%d bytes are free, %v", free, err)
		}
	})
}

// A file without a name is written as any other; it has the name that it is given, or is gone.
func TestAFileGetsANameLater(t *testing.T) {
	each(t, func(t *testing.T, d disk.Disk) {
		namer, ok := d.(disk.Namer)
		if !ok {
			t.Skip("this disk makes no files without a name")
		}
		if err := d.Mkdir("dir"); err != nil {
			t.Fatal(err)
		}
		f, err := namer.CreateUnnamed("dir")
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip("this file system makes no files without a name: ", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("text"), 0); err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		for range d.ReadDir("dir") {
			t.Error("it has a name already")
		}
		put(t, d, "dir/taken", "other")
		if err := namer.Name(f, "dir/taken"); !errors.Is(err, fs.ErrExist) {
			t.Errorf("the name of another file: %v", err)
		}
		if err := namer.Name(f, "dir/f"); err != nil {
			t.Fatal(err)
		}
		closed(t, f)
		want(t, d, "dir/f", "text")
		want(t, d, "dir/taken", "other")
	})
}
