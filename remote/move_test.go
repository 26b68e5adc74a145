package remote_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/memory"
)

// busy is a remote that others change too: after runs after each Put.
type busy struct {
	remote.Forward
	after func()
}

func (b busy) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	e, err := b.Forward.Put(ctx, name, body, o)
	b.after()
	return e, err
}

// What is stored under the old name between the copy and the removal stays.
func TestMoveWithoutMoverKeepsWhatWasStoredMeanwhile(t *testing.T) {
	for what, driver := range map[string]func(*memory.Remote) remote.Remote{
		"a driver without preconditions": func(m *memory.Remote) remote.Remote { return plain{m} },
		"a driver with them":             func(m *memory.Remote) remote.Remote { return conditional{plain{m}, m} },
	} {
		t.Run(what, func(t *testing.T) {
			mem := memory.New()
			put(t, mem, "a", "first")
			r := busy{remote.Forward{Remote: driver(mem)}, func() { put(t, mem, "a", "later") }}
			if err := remote.Move(t.Context(), r, "a", "b"); err != nil {
				t.Fatal(err)
			}
			if a, b := get(t, mem, "a"), get(t, mem, "b"); a != "later" || b != "first" {
				t.Errorf("a holds %q, b holds %q", a, b)
			}
		})
	}
}

// conditional is a remote whose only optional interface is VersionRemover.
type conditional struct {
	plain
	remote.VersionRemover
}

func TestRemoveVersionWithoutPreconditionLooksBefore(t *testing.T) {
	mem := memory.New()
	r := plain{mem}
	put(t, r, "a", "old")
	was, err := r.Stat(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	was.Version = "" // as of a remote without versions
	put(t, r, "a", strings.Repeat("new", 2))
	if err := remote.RemoveVersion(t.Context(), r, "a", was); err == nil {
		t.Error("another file was removed")
	}
	if got := get(t, r, "a"); got != "newnew" {
		t.Errorf("content %q", got)
	}
}
