package writeback

import (
	"slices"
	"testing"
	"testing/synctest"

	"ferry/remote/wrap/faulty"
)

// A file that a request in doubt may still remove or replace is not taken for renamed before that
// can be known.
func TestARenameIsNotPromisedWhileItsFileMayBeDestroyed(t *testing.T) {
	for name, first := range map[string]func(b *rig) error{
		"it may be removed":       func(b *rig) error { return b.removeThere(b.t.Context(), "a") },
		"another may be put over": func(b *rig) error { return b.Rename(b.t.Context(), "c", "a") },
		"it may be renamed, and replaced there": func(b *rig) error {
			defer b.upload("d", "newer")
			return b.Rename(b.t.Context(), "a", "d")
		},
		"it may be renamed, and removed there": func(b *rig) error {
			defer func() {
				b.upload("d", "newer")
				b.ok(b.Remove(b.t.Context(), "d"))
			}()
			return b.Rename(b.t.Context(), "a", "d")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(t, Options{Mode: Writes, Gate: NewGate(4)})
				defer func() { b.stop() }()
				b.has("a", "content")
				b.has("c", "another one")
				_, err := b.Stat(t.Context(), "a")
				b.ok(err)
				b.faults.Inject(faulty.Fault{Delayed: true, Until: doubtPause / 2, Err: errNetwork})
				if first(b) == nil {
					t.Fatal("it was answered")
				}
				err = b.Rename(t.Context(), "a", "b")
				b.settle()
				if got := treeOf(t, b.inner, "."); err == nil && slices.Index(got, "b=content") < 0 && slices.Index(got, "b=another one") < 0 {
					t.Errorf("the rename was acknowledged; the remote has %q", got)
				}
			})
		})
	}
}
