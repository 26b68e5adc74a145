package combine_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/memory"
)

// sweeper notes its sweeps.
type sweeper struct {
	remote.Remote
	name   string
	err    error
	sweeps *[]string
}

func (s sweeper) SweepParts(context.Context) error {
	*s.sweeps = append(*s.sweeps, s.name)
	return s.err
}

func TestEachUpstreamIsSwept(t *testing.T) {
	var sweeps []string
	bad := errors.New("away")
	swept := func(name string, err error) remote.Remote {
		return remote.Forward{Remote: sweeper{memory.New(), name, err, &sweeps}}
	}
	r := newTree(t, up("a", swept("a", bad)), up("b", plain{memory.New()}), up("c", swept("c", nil)))
	if err := remote.SweepParts(t.Context(), r); !errors.Is(err, bad) || errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("it returns %v", err)
	}
	if !slices.Equal(sweeps, []string{"a", "c"}) {
		t.Errorf("swept were %q", sweeps)
	}
	r = newTree(t, up("b", plain{memory.New()}))
	if err := remote.SweepParts(t.Context(), r); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("where none can it returns %v", err)
	}
	if err := remote.SweepParts(t.Context(), plain{memory.New()}); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("one that cannot returns %v", err)
	}
}
