package quota

import (
	"context"
	"strings"
	"testing"

	"ferry/ftp"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

// foldingTree is a tree that finds a name under one that differs in case.
type foldingTree struct{ ftp.Forward }

func (foldingTree) FoldsCase() bool { return true }

func TestAFileWhoseNameChangesInCaseAloneStays(t *testing.T) {
	tree := vfs.New(memory.New(), vfs.Options{FoldCase: true})
	t.Cleanup(func() { tree.Close() })
	under := tree.View("bob")
	if err := under.Mkdir(t.Context(), "dir"); err != nil {
		t.Fatal(err)
	}
	f := counted(t, NewStore(t.TempDir()), foldingTree{ftp.Forward{FS: under}}, Limits{Bytes: 100, Files: 10})
	if err := put(f, "dir/Photo.JPG", 0, 10, false); err != nil {
		t.Fatal(err)
	}
	if err := f.Rename(context.Background(), "dir/Photo.JPG", "dir/photo.jpg"); err != nil {
		t.Fatal(err)
	}
	if got, want := f.account.Usage(), (Usage{10, 1}); got != want {
		t.Errorf("%+v, not %+v", got, want)
	}
}

func TestUsersWhoseNamesLookLikeThoseOfFiles(t *testing.T) {
	s := NewStore(t.TempDir())
	long := []string{strings.Repeat("世", 63) + "a", strings.Repeat("世", 64)}
	for i, name := range append([]string{"bob", "bob.new", "bob%new", "..", ".", "bob%"}, long...) {
		if err := s.Set(name, Usage{Bytes: int64(i + 1)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Set("bob", Usage{Bytes: 1}); err != nil {
		t.Error(err)
	}
	for i, name := range append([]string{"bob", "bob.new", "bob%new", "..", ".", "bob%"}, long...) {
		got, err := s.Usage(name)
		if err != nil || got.Bytes != int64(i+1) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
