//go:build unix

package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

// hiddenFile makes a hidden file of that age, for an hour of which parts are kept.
func hiddenFile(t *testing.T, dir string, p partname.Name, age time.Duration) string {
	t.Helper()
	path := filepath.Join(dir, p.String())
	must(t, os.WriteFile(path, []byte("x"), 0o600))
	when := time.Now().Add(-age)
	must(t, os.Chtimes(path, when, when))
	return path
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func TestASweepFindsWhatNobodyLists(t *testing.T) {
	for name, tree := range trees() {
		for _, links := range []bool{false, true} {
			t.Run(name+strconv.FormatBool(links), func(t *testing.T) {
				s := newSite(t, tree, Options{PartMaxAge: time.Hour, CopyLinks: links})
				root := filepath.Join(s.top, "root")
				deep := filepath.Join(root, "d", "e", "f")
				must(t, os.MkdirAll(deep, 0o755))
				s.link("../outside/d", "out")
				s.link("..", "d/up") // which would have no end
				s.link("d/e", "again")
				owned, put := partname.Name{Owner: "o", Base: "f"}, partname.Name{Owner: partname.PutOwner, Slot: 3, Base: "f"}
				gone := []string{
					hiddenFile(t, root, owned, 2*time.Hour), hiddenFile(t, deep, owned, 2*time.Hour), hiddenFile(t, deep, put, 2*time.Hour),
				}
				young := partname.Name{Owner: "o", Base: "young"}
				under := stageOf(t, s.r, "d/e/busy", remote.StageOptions{Owner: "o"})
				writeTo(t, under, "x")
				busy := filepath.Join(root, "d", "e", partname.Name{Owner: "o", Slot: 1, Base: "busy"}.String())
				old := time.Now().Add(-2 * time.Hour)
				must(t, os.Chtimes(busy, old, old))
				stay := []string{
					hiddenFile(t, deep, young, 30*time.Minute), busy, filepath.Join(root, "d", "f"),
					hiddenFile(t, filepath.Join(s.top, "outside", "d"), owned, 2*time.Hour),
				}

				must(t, s.r.SweepParts(t.Context()))
				if !exists(t, gone[0]) {
					t.Error("one is gone while the clock may be wrong")
				}
				s.r.parts.Ages.Began(time.Now().Add(-time.Hour))
				must(t, s.r.SweepParts(t.Context()))
				for _, path := range gone {
					if exists(t, path) {
						t.Errorf("left: %s", path)
					}
				}
				for _, path := range stay {
					if !exists(t, path) {
						t.Errorf("gone: %s", path)
					}
				}
			})
		}
	}
}

func TestASweepEndsWithItsContextAndWithoutARoot(t *testing.T) {
	s := newSite(t, openTree, Options{PartMaxAge: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.r.SweepParts(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("it returns %v", err)
	}
	must(t, os.Rename(filepath.Join(s.top, "root"), filepath.Join(s.top, "moved")))
	if err := s.r.SweepParts(t.Context()); err == nil {
		t.Error("it does not say that the directory is away")
	}
}

func TestASweepPassesOverWhatIsGoneAndWhatIsClosed(t *testing.T) {
	s := newSite(t, openTree, Options{PartMaxAge: time.Hour})
	s.r.parts.Ages.Began(time.Now().Add(-time.Hour))
	root := filepath.Join(s.top, "root")
	must(t, os.Mkdir(filepath.Join(root, "closed"), 0))
	for _, dir := range []string{"a", "z"} {
		must(t, os.Mkdir(filepath.Join(root, dir), 0o755))
		hiddenFile(t, filepath.Join(root, dir), partname.Name{Owner: "o", Base: "f"}, 2*time.Hour)
	}
	if _, err := s.r.sweepDir(t.Context(), "none", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a directory that is gone: %v", err)
	}
	must(t, s.r.SweepParts(t.Context()))
	for _, dir := range []string{"a", "z"} {
		if got := files(t, filepath.Join(root, dir)); got != "" {
			t.Errorf("%s holds %s", dir, got)
		}
	}
}

func TestDirectoriesThatArePendingAreBounded(t *testing.T) {
	var pending []string
	for i := range 1000 {
		pending = postpone(pending, strconv.Itoa(i), 10)
	}
	slices.Sort(pending)
	if len(pending) != 10 || slices.Equal(pending, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}) {
		t.Errorf("pending are %q", pending)
	}
}
