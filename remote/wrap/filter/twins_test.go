package filter

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
)

const (
	composed   = "caf\u00e9"  // as everybody writes it
	decomposed = "cafe\u0301" // as macOS does
	kelvin     = "\u212a"     // the sign whose normal form is the letter K
)

func filled(t *testing.T, names ...string) (*Remote, *memory.Remote) {
	t.Helper()
	store := memory.New()
	for _, name := range names {
		if dir, _ := remote.Split(name); dir != "." {
			if err := store.Mkdir(t.Context(), dir); err != nil && !errors.Is(err, remote.ErrExist) {
				t.Fatal(err)
			}
		}
		if _, err := store.Put(t.Context(), name, strings.NewReader(name), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return NewDistinct(store), store
}

func names(t *testing.T, r remote.Remote, dir string) []string {
	t.Helper()
	var all []string
	for e, err := range r.List(t.Context(), dir) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Name)
	}
	slices.Sort(all)
	return all
}

func TestConformanceOfDistinctNames(t *testing.T) {
	remotetest.RunDecorator(t, func() remote.Remote { return memory.New() }, func(r remote.Remote) remote.Remote { return NewDistinct(r) })
}

func TestANameThatLooksLikeAnotherIsHidden(t *testing.T) {
	r, store := filled(t, "dir/"+composed, "dir/"+decomposed, "dir/plain")
	ctx := t.Context()
	if got := names(t, r, "dir"); !slices.Equal(got, []string{composed, "plain"}) {
		t.Errorf("listed: %q", got)
	}
	name := "dir/" + decomposed
	_, statErr := r.Stat(ctx, name)
	_, openErr := r.Open(ctx, name, 0, -1)
	for op, err := range map[string]error{
		"stat": statErr, "open": openErr, "remove": r.Remove(ctx, name), "move": r.Move(ctx, name, "x"), "copy": r.Copy(ctx, name, "x"),
	} {
		if !errors.Is(err, remote.ErrNotExist) {
			t.Errorf("%s: %v", op, err)
		}
	}
	if _, err := store.Stat(ctx, name); err != nil {
		t.Errorf("something was done to it: %v", err)
	}
	if _, err := r.Stat(ctx, "dir/"+composed); err != nil {
		t.Error(err)
	}
}

func TestWhatLooksLikeNothingElseIsThere(t *testing.T) {
	r, _ := filled(t, decomposed, "plain")
	if got := names(t, r, "."); !slices.Equal(got, []string{decomposed, "plain"}) {
		t.Errorf("listed: %q", got)
	}
	if _, err := r.Stat(t.Context(), decomposed); err != nil {
		t.Error(err)
	}
}

func TestOfSeveralThatAreNotNormalOneIsListed(t *testing.T) {
	r, _ := filled(t, "a\u0323\u0307", "a\u0307\u0323") // dots below and above, in both orders
	if got := names(t, r, "."); len(got) != 1 {
		t.Errorf("listed: %q", got)
	}
}

func TestASignWhoseNormalFormIsALetter(t *testing.T) {
	r, store := filled(t, kelvin, "K")
	if got := names(t, r, "."); !slices.Equal(got, []string{"K"}) {
		t.Errorf("listed: %q", got)
	}
	if err := store.Remove(t.Context(), "K"); err != nil {
		t.Fatal(err)
	}
	if got := names(t, r, "."); !slices.Equal(got, []string{kelvin}) {
		t.Errorf("listed: %q", got)
	}
}

func TestMakingANameThatLooksLikeAnotherIsRefused(t *testing.T) {
	r, _ := filled(t, composed, "f")
	ctx := t.Context()
	_, putErr := r.Put(ctx, decomposed, strings.NewReader(""), remote.PutOptions{})
	_, stageErr := r.Stage(ctx, decomposed, remote.StageOptions{Owner: "bob"})
	for op, err := range map[string]error{
		"put": putErr, "stage": stageErr, "mkdir": r.Mkdir(ctx, decomposed), "move": r.Move(ctx, "f", decomposed),
		"copy": r.Copy(ctx, "f", decomposed), "AllowCreate": r.AllowCreate(ctx, decomposed, false),
	} {
		var h interface{ Hint() string }
		if !errors.Is(err, remote.ErrBadName) || !errors.As(err, &h) || !strings.Contains(h.Hint(), "--vfs-block-norm-dupes") {
			t.Errorf("%s: %v", op, err)
		}
	}
	if err := r.Move(ctx, composed, decomposed); err != nil {
		t.Errorf("a file cannot change its own form: %v", err)
	}
	if err := r.Move(ctx, decomposed, composed); err != nil {
		t.Errorf("a file cannot get its normal form: %v", err)
	}
}

// What cannot be found out is neither there nor missing.
func TestAnUnreachableRemoteHidesNothing(t *testing.T) {
	store := memory.New()
	calls := faulty.New(store)
	r := NewDistinct(calls)
	down := errors.New("down")
	calls.Inject(faulty.Fault{Op: faulty.Stat, Err: down, Times: -1})
	if _, err := r.Stat(context.Background(), decomposed); !errors.Is(err, down) || errors.Is(err, remote.ErrNotExist) {
		t.Errorf("stat: %v", err)
	}
}

func TestBothPoliciesSayWhatMayBeMade(t *testing.T) {
	f, err := Parse(Options{Exclude: []string{"*.bak", "/" + composed + "-hidden"}, MaxSize: -1})
	if err != nil {
		t.Fatal(err)
	}
	store := memory.New()
	for _, name := range []string{composed, composed + "-hidden"} {
		if _, err := store.Put(t.Context(), name, strings.NewReader(""), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	r := NewDistinct(New(store, f))
	for name, flag := range map[string]string{"x.bak": "--exclude", decomposed: "--vfs-block-norm-dupes"} {
		var h interface{ Hint() string }
		err := r.AllowCreate(t.Context(), name, false)
		if !errors.Is(err, remote.ErrBadName) || !errors.As(err, &h) || !strings.Contains(h.Hint(), flag) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"new", decomposed + "-hidden"} { // what it looks like is left out
		if err := r.AllowCreate(t.Context(), name, false); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}
