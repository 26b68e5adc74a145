package combine_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
)

// noted notes whose facts each Put takes over, and keeps no time after 2100.
type noted struct {
	*memory.Remote
	of []string
}

func (n *noted) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	n.of = append(n.of, name+" of "+o.FactsOf)
	return n.Remote.Put(ctx, name, body, o)
}

func (n *noted) CheckTime(_ string, t time.Time) error {
	if t.Year() > 2100 {
		return remote.ErrInvalid
	}
	return nil
}

func TestFactsAndTimesAreThoseOfTheUpstream(t *testing.T) {
	a, b := &noted{Remote: memory.New()}, &noted{Remote: memory.New()}
	r := newTree(t, up("a", a), up("b", b), up("none", plain{memory.New()}))
	defer r.Close()
	for _, of := range []string{"", "a/d/g", "b/g", "a", "none/none", "missing/g"} {
		if _, err := r.Put(t.Context(), "a/f", strings.NewReader("x"), remote.PutOptions{FactsOf: of}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := strings.Join(a.of, ", "), "f of , f of d/g, f of , f of , f of , f of "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	late := time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, want := range map[string]error{
		"a/f": remote.ErrInvalid, "none/f": remote.ErrUnsupported, ".": remote.ErrUnsupported,
	} {
		if err := remote.CheckTime(r, name, late); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if err := remote.CheckTime(r, name, late.AddDate(-90, 0, 0)); err != nil {
			t.Errorf("%s in 2011: %v", name, err)
		}
	}
}
