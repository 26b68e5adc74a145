package main

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/places"
	"ferry/serve"
)

func TestTreesOfOneRemoteWithOtherOptionsNeedOneCache(t *testing.T) {
	base, dir := t.TempDir(), t.TempDir()
	o := parse(t, "--cache-dir", base, "--vfs-cache-mode", "writes")
	p := process{stdout: io.Discard, stderr: io.Discard}
	o.places = places.Of(o.CacheDir, nil)
	trees := newUserTrees(p, o, nil, nil, slog.New(logging.NewText(io.Discard, slog.LevelError)))
	defer trees.set.Close()
	_, release, err := trees.open(t.Context(), serve.Wanted{Remote: dir, User: "cam"})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for name, w := range map[string]serve.Wanted{
		"another option":      {Remote: dir, User: "bob", Options: map[string]string{"umask": "027"}},
		"written differently": {Remote: dir + "/", User: "bob"},
	} {
		t.Run(name, func(t *testing.T) {
			_, release, err := trees.open(t.Context(), w)
			if err == nil {
				release()
				t.Fatal("two trees have one cache")
			}
			if got := err.Error(); !strings.Contains(got, "umask") || strings.Contains(got, "stop it") {
				t.Errorf("%v does not say what to do", err)
			}
		})
	}
}

// What goes on at the end although it was cancelled may use the disks of the trees of users, which
// stay open then.
func TestTheEndLeavesTheDisksOfTreesThatAreInUse(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("the system does not tell what is open")
	}
	for _, inUse := range []bool{false, true} {
		base := t.TempDir()
		o := parse(t, "--cache-dir", base, "--vfs-cache-mode", "writes")
		o.places = places.Of(o.CacheDir, nil)
		p := process{stdout: io.Discard, stderr: io.Discard}
		a := &accounts{trees: newUserTrees(p, o, nil, nil, slog.New(slog.DiscardHandler)), backend: &serve.Accounts{}}
		_, release, err := a.trees.open(t.Context(), serve.Wanted{Remote: t.TempDir(), User: "cam"})
		if err != nil {
			t.Fatal(err)
		}
		release()
		if openBelow(t, base) == 0 {
			t.Fatal("the cache is not open")
		}
		a.end(inUse)
		if n := openBelow(t, base); (n > 0) != inUse {
			t.Errorf("in use: %v, and %d files of the cache are open", inUse, n)
		}
	}
}

// openBelow returns how many files and directories this process has open in and below dir.
func openBelow(t *testing.T, dir string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, dir) {
			n++
		}
	}
	return n
}
