package remotetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"ferry/remote"
)

// hostileNames are what a server may call a file that is none of this directory.
func hostileNames() []string {
	return []string{"..", ".", "", "/", "a/b", "../up", "/etc/passwd", "a/../../b", "a\x00b"}
}

// RunHostile checks what a remote makes of names that are none. open gives one whose server lists
// the names in the root, as they are, and besides them the file "ok"; those for which usual is true
// it may leave out: the protocol cannot write them, or they stand for the directory itself, and
// nobody needs to hear of them.
func RunHostile(t *testing.T, open func(t *testing.T, names []string) remote.Remote, usual func(name string) bool) {
	t.Helper()
	t.Run("one name at a time", func(t *testing.T) {
		for _, name := range hostileNames() {
			checkHostile(t, open, []string{name}, usual)
		}
	})
	t.Run("all of them", func(t *testing.T) { checkHostile(t, open, hostileNames(), usual) })
	t.Run("names that are none are ErrInvalid", func(t *testing.T) {
		r := open(t, nil)
		defer r.Close()
		for _, name := range hostileNames() {
			if name == "." || name == "a/b" {
				continue
			}
			if _, err := r.Stat(t.Context(), name); !errors.Is(err, remote.ErrInvalid) {
				t.Errorf("Stat(%q): %v", name, err)
			}
			if _, err := r.Open(t.Context(), name, 0, -1); !errors.Is(err, remote.ErrInvalid) {
				t.Errorf("Open(%q): %v", name, err)
			}
		}
	})
}

func checkHostile(t *testing.T, open func(t *testing.T, names []string) remote.Remote, names []string, usual func(name string) bool) {
	t.Helper()
	r := open(t, names)
	defer r.Close()
	var mu sync.Mutex
	var omitted []string
	ctx := remote.WithOmitted(t.Context(), func(entry, reason string) {
		mu.Lock()
		defer mu.Unlock()
		omitted = append(omitted, entry)
		if reason == "" {
			t.Errorf("%q is left out for no reason", entry)
		}
	})
	got := listed(ctx, t, r, names)
	if !slices.Equal(got, []string{"ok"}) {
		t.Errorf("%q are listed as %q", names, got)
	}
	want := 0
	for _, name := range names {
		if !usual(name) {
			want++
		}
	}
	if len(omitted) < want {
		t.Errorf("of %q only %q are reported as left out", names, omitted)
	}
}

func listed(ctx context.Context, t *testing.T, r remote.Remote, names []string) (got []string) {
	t.Helper()
	for e, err := range r.List(ctx, ".") {
		if err != nil {
			t.Errorf("List with %q: %v", names, err)
			continue
		}
		got = append(got, e.Name)
	}
	return got
}
