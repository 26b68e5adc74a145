//go:build unix

package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The file keeps its mode, but what others may do with it.
func TestWriteFileKeepsTheMode(t *testing.T) {
	for mode, want := range map[fs.FileMode]fs.FileMode{0o600: 0o600, 0o640: 0o640, 0o644: 0o640, 0o666: 0o640, 0o400: 0o400} {
		path := filepath.Join(t.TempDir(), "rclone.conf")
		write(t, path, "old")
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(path, []byte("new"), Loose); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode() != want || read(t, path) != "new" {
			t.Errorf("the mode is %v, want %v; %v", info.Mode(), want, err)
		}
	}
}

func TestWriteFileFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"real", "links"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string) string {
		path := filepath.Join(dir, name)
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link(filepath.Join(dir, "real", "rclone.conf"), "links/second")
	first := link("links/second", "first")
	for _, text := range []string{"new", "newer"} { // at first nothing is there
		if err := WriteFile(first, []byte(text), Loose); err != nil {
			t.Fatal(err)
		}
		if got := read(t, filepath.Join(dir, "real", "rclone.conf")); got != text {
			t.Errorf("the file says %q, want %q", got, text)
		}
	}
	if info, err := os.Lstat(first); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	loop := link("loop", "loop")
	checkError(t, "a loop", WriteFile(loop, nil, Loose), "symbolic links")
}

func TestWriteFileLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rclone.conf")
	for _, text := range []string{"one", "two"} {
		if err := WriteFile(path, []byte(text), Loose); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	checkError(t, "a directory", WriteFile(filepath.Join(dir, "directory"), nil, Loose), "not a regular file")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a new file: %v, %v", info, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}

// There is no room for a longer name beside the file, which is what a temporary one needs.
func TestWriteFileFailsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 255))
	write(t, path, "old")
	if err := WriteFile(path, []byte("new"), Loose); err == nil {
		t.Error("the file was replaced without a temporary one")
	}
	if got := read(t, path); got != "old" {
		t.Errorf("the file says %q", got)
	}
}
