package dircache

import (
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"ferry/breaker"
	"ferry/remote"
	"ferry/remote/driver/memory"
)

// folding takes A and a for one file, which it calls a.
type folding struct{ remote.Forward }

func (f folding) Info() remote.Info {
	i := f.Forward.Info()
	i.Caps.CheapStat, i.Caps.CaseInsensitive = false, true
	return i
}

func (f folding) Stat(ctx context.Context, name string) (remote.Entry, error) {
	return f.Forward.Stat(ctx, strings.ToLower(name))
}

func (f folding) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return f.Forward.List(ctx, strings.ToLower(dir))
}

func (f folding) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	return f.Forward.Put(ctx, strings.ToLower(name), body, o)
}

func (f folding) Remove(ctx context.Context, name string) error {
	return f.Forward.Remove(ctx, strings.ToLower(name))
}

func (f folding) Mkdir(ctx context.Context, dir string) error {
	return f.Forward.Mkdir(ctx, strings.ToLower(dir))
}

func (f folding) Rmdir(ctx context.Context, dir string) error {
	return f.Forward.Rmdir(ctx, strings.ToLower(dir))
}

func (f folding) Move(ctx context.Context, from, to string) error {
	if strings.EqualFold(from, to) {
		return nil
	}
	return f.Forward.Move(ctx, strings.ToLower(from), strings.ToLower(to))
}

// TestNamesThatDifferInCase changes files and directories by any of their names, and looks at them
// by any other.
func TestNamesThatDifferInCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := folding{remote.Forward{Remote: memory.New()}}
		c := New(store, breaker.New(breaker.Options{}), fiveMinutes)
		defer c.Close()
		rnd := rand.New(rand.NewPCG(1, 2))
		name := func() string {
			all := []string{"a", "A", "b", "B", "d", "D", "d/a", "D/A", "d/A", "D/a", "d/e", "D/E", "d/E/f", "D/e/F", "d/e/f"}
			return all[rnd.IntN(len(all))]
		}
		for i := range 3000 {
			one, other := name(), name()
			op := []string{"put", "remove", "mkdir", "rmdir", "move"}[rnd.IntN(5)]
			switch op {
			case "put":
				_, _ = c.Direct().Put(t.Context(), one, strings.NewReader(strings.Repeat("x", i)), remote.PutOptions{})
			case "remove":
				_ = c.Direct().Remove(t.Context(), one)
			case "mkdir":
				_ = c.Direct().Mkdir(t.Context(), one)
			case "rmdir":
				_ = c.Direct().Rmdir(t.Context(), one)
			default:
				_ = remote.Move(t.Context(), c.Direct(), one, other)
			}
			for _, dir := range []string{".", "d", "D", "d/e", "D/E"} {
				if got, want := lowered(t, c, dir), lowered(t, store, dir); !slices.Equal(got, want) {
					t.Fatalf("step %d, %s %s %s: %s has %q, want %q", i, op, one, other, dir, got, want)
				}
			}
			look := name()
			got, err := c.Stat(t.Context(), look)
			want, wantErr := store.Stat(t.Context(), look)
			if (err == nil) != (wantErr == nil) || got.Size != want.Size || got.Dir != want.Dir {
				t.Fatalf("step %d, %s %s %s: %s is %+v, %v; want %+v, %v", i, op, one, other, look, got, err, want, wantErr)
			}
		}
	})
}

// lowered lists the names in a directory, twice where there are two.
func lowered(t *testing.T, r remote.Remote, dir string) []string {
	t.Helper()
	var all []string
	for e, err := range r.List(t.Context(), dir) {
		if errors.Is(err, remote.ErrNotExist) || errors.Is(err, remote.ErrNotDir) {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.ToLower(e.Name))
	}
	slices.Sort(all)
	return all
}

// What others change goes by any name, too.
func TestAChangeThatIsToldByAnotherName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := folding{remote.Forward{Remote: memory.New()}}
		c := New(store, breaker.New(breaker.Options{}), fiveMinutes)
		defer c.Close()
		if err := store.Mkdir(t.Context(), "d"); err != nil {
			t.Fatal(err)
		}
		seen := map[string][]string{"d": lowered(t, c, "d"), "D": lowered(t, c, "D")}
		if _, err := store.Put(t.Context(), "d/f", strings.NewReader("x"), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		c.ApplyRemoteChange(remote.Change{Name: "d/F"})
		for _, dir := range slices.Sorted(maps.Keys(seen)) {
			if got := lowered(t, c, dir); len(seen[dir]) != 0 || !slices.Equal(got, []string{"f"}) {
				t.Errorf("%s has %q, had %q", dir, got, seen[dir])
			}
		}
	})
}
