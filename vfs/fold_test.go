package vfs

import (
	"errors"
	"io"
	"io/fs"
	"testing"
	"time"

	"ferry/remote/wrap/faulty"
)

func newFolding(t *testing.T) *behind {
	b := newBehind(t, Options{DirCacheTime: time.Minute, FoldCase: true})
	if err := b.store.Mkdir(t.Context(), "Dir"); err != nil {
		t.Fatal(err)
	}
	b.put("Dir/File.txt")
	b.put("both")
	b.put("Both")
	return b
}

func (b *behind) reads(name, want string) {
	b.t.Helper()
	r, err := b.Open(b.t.Context(), name, 0)
	if err != nil {
		b.t.Errorf("Open(%q): %v", name, err)
		return
	}
	defer r.Close()
	if got, err := io.ReadAll(r); string(got) != want || err != nil {
		b.t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
	}
}

func TestANameIsFoundInAnotherCase(t *testing.T) {
	b := newFolding(t)
	b.reads("DIR/file.TXT", "Dir/File.txt")
	b.shows("dir", "File.txt")
	if info, err := b.Stat(t.Context(), "dir/FILE.TXT"); err != nil || info.Name() != "File.txt" {
		t.Errorf("Stat gives %v, %v", info, err)
	}
	if _, err := b.Stat(t.Context(), "dir/other"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat of what does not exist in any case: %v", err)
	}
}

func TestTheSpellingThatWasTypedComesFirst(t *testing.T) {
	b := newFolding(t)
	b.reads("both", "both")
	b.reads("Both", "Both")
	if _, err := b.Open(t.Context(), "BOTH", 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a name that may be two files: %v", err)
	}
}

func TestANameThatExistsCostsNoListing(t *testing.T) {
	b := newFolding(t)
	if n := b.asked(faulty.List, func() { b.reads("Dir/File.txt", "Dir/File.txt") }); n != 0 {
		t.Errorf("%d listings", n)
	}
}

func TestChangesGoToTheNameThatIsThere(t *testing.T) {
	b := newFolding(t)
	ctx := t.Context()
	b.upload("DIR/FILE.TXT")
	b.shows("Dir", "File.txt")
	b.upload("dir/New")
	b.shows("Dir", "File.txt New")
	if err := b.Mkdir(ctx, "dir"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Mkdir of a directory that exists in another case: %v", err)
	}
	if err := b.Rename(ctx, "dir/new", "DIR/NEW"); err != nil {
		t.Fatal(err)
	}
	b.shows("Dir", "File.txt NEW")
	if err := b.Rename(ctx, "dir/new", "DIR/file.txt"); err != nil {
		t.Fatal(err)
	}
	b.shows("Dir", "File.txt")
	if err := b.Remove(ctx, "DIR/FILE.txt"); err != nil {
		t.Fatal(err)
	}
	if err := b.Rmdir(ctx, "DIR"); err != nil {
		t.Fatal(err)
	}
	b.shows(".", "Both both")
}

func TestCaseCountsUnlessAskedOtherwise(t *testing.T) {
	b := newBehind(t, Options{DirCacheTime: time.Minute})
	b.put("File")
	if _, err := b.Stat(t.Context(), "file"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat in another case: %v", err)
	}
}
