package objects_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/driver/internal/objects/objectstest"
)

// finished checks whether r knows that its owner has finished the upload elsewhere.
func finished(t *testing.T, r *objects.Tree, want bool) {
	t.Helper()
	if _, err := r.Part(t.Context(), "d/f", who); errors.Is(err, remote.ErrFinished) != want || !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Part: %v, finished: %v", err, want)
	}
}

// A node through which an upload was cut learns that it was finished through another one, and only
// that: not that it has vanished.
func TestWhoLeftAnUploadLearnsThatItWasFinished(t *testing.T) {
	kept := func(t *testing.T, r *objects.Tree, o remote.StageOptions) {
		t.Helper()
		if err := begin(t, r, o, "1234567").Keep(); err != nil {
			t.Fatal(err)
		}
	}
	stored := func(t *testing.T, r *objects.Tree, o remote.StageOptions) {
		t.Helper()
		if err := commit(t, begin(t, r, o, "x")); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		do       func(t *testing.T, a, b, c *objects.Tree)
		finished bool // in the eyes of a
		marks    int
	}{
		"finished elsewhere": {func(t *testing.T, a, b, _ *objects.Tree) {
			kept(t, a, remote.StageOptions{})
			stored(t, b, onPart(7))
		}, true, 1},
		"finished at a third": {func(t *testing.T, a, b, c *objects.Tree) {
			kept(t, a, remote.StageOptions{})
			kept(t, b, onPart(7))
			stored(t, c, onPart(14))
			finished(t, b, true)
		}, true, 1},
		"finished at the second, after the first": {func(t *testing.T, a, b, _ *objects.Tree) {
			kept(t, a, remote.StageOptions{})
			kept(t, b, onPart(7))
			kept(t, b, onPart(14))
			stored(t, b, onPart(21))
		}, true, 1},
		"stored anew elsewhere": {func(t *testing.T, a, b, _ *objects.Tree) {
			kept(t, a, remote.StageOptions{})
			stored(t, b, remote.StageOptions{})
		}, true, 1},
		"finished here": {func(t *testing.T, a, _, _ *objects.Tree) {
			kept(t, a, remote.StageOptions{})
			stored(t, a, onPart(7))
		}, false, 0},
		"finished here, after another one": {func(t *testing.T, a, b, _ *objects.Tree) {
			kept(t, a, remote.StageOptions{})
			kept(t, b, onPart(7))
			stored(t, a, onPart(14))
			finished(t, b, true)
		}, false, 1},
		"dropped elsewhere": {func(t *testing.T, a, b, _ *objects.Tree) {
			kept(t, a, remote.StageOptions{})
			time.Sleep(time.Minute)
			if err := b.DropPart(t.Context(), "d/f", who); err != nil {
				t.Error(err)
			}
		}, false, 0},
		"too old": {func(t *testing.T, a, _, _ *objects.Tree) {
			kept(t, a, remote.StageOptions{})
			time.Sleep(25 * time.Hour)
			if err := a.SweepParts(t.Context()); err != nil {
				t.Error(err)
			}
		}, false, 0},
		"cut again here": {func(t *testing.T, a, b, _ *objects.Tree) {
			kept(t, a, remote.StageOptions{})
			stored(t, b, onPart(7))
			kept(t, a, remote.StageOptions{})
			time.Sleep(time.Minute) // b knows what it has seen
			if err := b.DropPart(t.Context(), "d/f", who); err != nil {
				t.Error(err)
			}
		}, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := objectstest.NewKeeping("b")
				o := objects.Config{PartMaxAge: 24 * time.Hour}
				a, b := openKept(s, o), openKept(s, o)
				c.do(t, a, b, openKept(s, o))
				finished(t, a, c.finished)
				if marks := strings.Count(strings.Join(s.Keys("b"), " "), ".done"); marks != c.marks {
					t.Errorf("%d marks, want %d: %q", marks, c.marks, s.Keys("b"))
				}
				time.Sleep(25 * time.Hour)
				if err := b.SweepParts(t.Context()); err != nil {
					t.Error(err)
				}
				if all := strings.Join(s.Keys("b"), " "); strings.Contains(all, "parts") {
					t.Errorf("what is left is not swept: %s", all)
				}
			})
		})
	}
}
