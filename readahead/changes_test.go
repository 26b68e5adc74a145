package readahead

import (
	"context"
	"testing"

	"ferry/remote"
	"ferry/remote/wrap/faulty"
)

// copying is a remote that renames by copying.
type copying struct{ remote.Forward }

func (copying) Move(context.Context, string, string) error { return remote.ErrUnsupported }

func TestWhatIsHeldGoesWithItsFile(t *testing.T) {
	for name, below := range map[string]func(remote.Remote) remote.Remote{
		"renamed":            func(r remote.Remote) remote.Remote { return r },
		"renamed by copying": func(r remote.Remote) remote.Remote { return copying{remote.Forward{Remote: r}} },
	} {
		t.Run(name, func(t *testing.T) {
			b := newThrough(t)
			b.below.Remote = below(b.remote)
			data := content(3 << 20)
			b.put("f", data)
			b.wantFile("f", data)
			if err := remote.Move(t.Context(), b.Direct(), "f", "g"); err != nil {
				t.Fatal(err)
			}
			wantHeld(b, "f", false)
			wantHeld(b, "g", true)
			if name == "renamed" { // a file that was copied is of another version
				before := b.remote.Calls(faulty.Open)
				b.wantFile("g", data)
				if b.remote.Calls(faulty.Open) != before {
					t.Error("it was fetched again")
				}
			}
			if err := b.Direct().Remove(t.Context(), "g"); err != nil {
				t.Fatal(err)
			}
			wantHeld(b, "g", false)
		})
	}
}

func wantHeld(b *behind, name string, want bool) {
	b.t.Helper()
	if _, held := b.opt.Store.Last(name); held != want {
		b.t.Errorf("%s is held: %v", name, held)
	}
}
