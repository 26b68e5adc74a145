package remotetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"ferry/remote"
)

// oddKeys are keys of an object store, some of which lead to no name.
func oddKeys() []string {
	return []string{"2026/1//k", "/lead.txt", "a//b//c.txt", "a/./x", "a/../y", "d/ok", "mixed//k", "mixed/ok", "one//k", "only//1", "only//2",
		"only/./3"}
}

// RunOddKeys checks what a driver for an object store makes of keys that lead to no name. fill is
// that of RunBuckets.
func RunOddKeys(t *testing.T, fill func(t *testing.T, objects map[string]string, markers bool) Bucket) {
	t.Helper()
	contents := map[string]string{}
	for _, key := range oddKeys() {
		contents[key] = "x"
	}
	b := fill(t, contents, true)
	r := b.Open()
	t.Cleanup(func() { _ = r.Close() })
	top := []string{"2026", "a", "d", "mixed", "one", "only"}
	leading := []string{"/"}
	if shown, _ := listOdd(t, r, "."); slices.Contains(shown, "lead.txt") { // a service that leaves the slash out
		top, leading = []string{"2026", "a", "d", "lead.txt", "mixed", "one", "only"}, nil
	}
	for dir, want := range map[string]struct{ shown, omitted []string }{
		".":      {top, leading},
		"a":      {nil, []string{"a/../", "a/./", "a//"}},
		"2026/1": {nil, []string{"2026/1//"}},
		"mixed":  {[]string{"ok"}, []string{"mixed//"}},
		"d":      {[]string{"ok"}, nil},
	} {
		shown, omitted := listOdd(t, r, dir)
		if !slices.Equal(shown, want.shown) || !slices.Equal(omitted, want.omitted) {
			t.Errorf("%s is listed as %q, without %q; want %q, %q", dir, shown, omitted, want.shown, want.omitted)
		}
	}
	for dir, want := range map[string]string{
		"only":  "The directory holds 3 objects whose names cannot be shown.",
		"one":   "The directory holds an object whose name cannot be shown.",
		"mixed": "", "d": "", "2026": "",
	} {
		err := r.Rmdir(t.Context(), dir)
		var hint interface{ Hint() string }
		got := ""
		if errors.As(err, &hint) {
			got = hint.Hint()
		}
		if !errors.Is(err, remote.ErrNotEmpty) || got != want {
			t.Errorf("Rmdir(%s): %v, hint %q, want %q", dir, err, got, want)
		}
	}
	if keys := b.Keys(); len(keys) != len(contents) {
		t.Errorf("only %q are left", keys)
	}
}

// listOdd returns what a listing shows, and what it leaves out, both sorted.
func listOdd(t *testing.T, r remote.Remote, dir string) (shown, omitted []string) {
	t.Helper()
	var mu sync.Mutex
	ctx := remote.WithOmitted(context.WithoutCancel(t.Context()), func(entry, reason string) {
		mu.Lock()
		defer mu.Unlock()
		if reason != remote.OmittedName {
			t.Errorf("%s is left out because %s", entry, reason)
		}
		omitted = append(omitted, entry)
	})
	for e, err := range r.List(ctx, dir) {
		if err != nil {
			t.Fatalf("List(%s): %v", dir, err)
		}
		shown = append(shown, e.Name)
	}
	slices.Sort(shown)
	slices.Sort(omitted)
	return shown, omitted
}
