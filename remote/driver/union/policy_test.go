package union

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
)

// A sized remote says how full it is.
type sized struct {
	remote.Remote
	usage remote.Usage
	asked int
}

func (s *sized) Usage(context.Context) (remote.Usage, error) {
	s.asked++
	return s.usage, nil
}

func put(t *testing.T, r remote.Remote, name, content string) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{}); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// content is that of a file, or the kind of error.
func content(t *testing.T, r remote.Remote, name string) string {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if errors.Is(err, remote.ErrNotExist) {
		return "-"
	}
	if err != nil {
		return "!"
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return "!"
	}
	return string(b)
}

func mkdir(t *testing.T, r remote.Remote, dir string) {
	t.Helper()
	if err := r.Mkdir(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
}

// three returns upstreams of which a has least free and b most, and b has least in use. The
// directory "d" is in a and c only.
func three(t *testing.T) []*sized {
	ups := []*sized{
		{Remote: memory.New(), usage: remote.Usage{Total: 100 << 30, Used: 50 << 30, Free: 5 << 30}},
		{Remote: memory.New(), usage: remote.Usage{Total: 100 << 30, Used: 10 << 30, Free: 90 << 30}},
		{Remote: memory.New(), usage: remote.Usage{Total: 100 << 30, Used: 40 << 30, Free: 60 << 30}},
	}
	mkdir(t, ups[0], "d")
	mkdir(t, ups[2], "d")
	return ups
}

func union(t *testing.T, o Options, ups []*sized) remote.Remote {
	t.Helper()
	var all []Upstream
	for _, u := range ups {
		all = append(all, up(u))
	}
	return newUnion(t, o, all...)
}

// where returns which of the upstreams, called a, b and c, have a file.
func where(t *testing.T, ups []*sized, name string) string {
	t.Helper()
	var have strings.Builder
	for i, u := range ups {
		if _, err := u.Stat(t.Context(), name); err == nil {
			have.WriteByte(byte('a' + i))
		}
	}
	return have.String()
}

func TestCreatePolicies(t *testing.T) {
	for policy, want := range map[Policy][]string{ // of d/f and of f: any of those
		"all": {"abc", "abc"}, "epall": {"ac", "abc"}, "ff": {"a", "a"}, "epff": {"a", "a"},
		"lfs": {"a", "a"}, "eplfs": {"a", "a"}, "mfs": {"b", "b"}, "epmfs": {"c", "b"},
		"lus": {"b", "b"}, "eplus": {"c", "b"}, "lno": {"a", "a"}, "eplno": {"a", "a"},
		"rand": {"a b c", "a b c"}, "eprand": {"a c", "a b c"}, "newest": {"a c", "a b c"},
	} {
		t.Run(string(policy), func(t *testing.T) {
			for range 10 {
				ups := three(t)
				r := union(t, Options{Create: policy, MinFree: 1 << 30}, ups)
				for i, name := range []string{"d/f", "f"} {
					put(t, r, name, "content")
					got := where(t, ups, name)
					if got == "" || !slices.Contains(strings.Fields(want[i]), got) {
						t.Errorf("%s is in %q, not %q", name, got, want[i])
					}
					if got := content(t, r, name); got != "content" {
						t.Errorf("%s holds %q", name, got)
					}
				}
			}
		})
	}
}

func TestRandomPoliciesChooseEach(t *testing.T) {
	ups := three(t)
	r := union(t, Options{Create: "rand"}, ups)
	seen := map[string]bool{}
	for i := range 200 {
		name := strings.Repeat("x", i+1)
		put(t, r, name, "")
		seen[where(t, ups, name)] = true
	}
	if got := strings.Join(slices.Sorted(maps.Keys(seen)), " "); got != "a b c" {
		t.Errorf("chosen were %q", got)
	}
}

func TestSpaceIsDemandedAndRemembered(t *testing.T) {
	ups := three(t)
	r := union(t, Options{Create: "lfs", MinFree: 10 << 30, CacheTime: time.Hour}, ups)
	for _, name := range []string{"f", "g", "h"} {
		put(t, r, name, "")
		if got := where(t, ups, name); got != "c" {
			t.Errorf("%s is in %q", name, got)
		}
	}
	if ups[0].asked != 1 {
		t.Errorf("asked %d times", ups[0].asked)
	}
	full := union(t, Options{Create: "eplfs", MinFree: 1 << 40}, ups)
	if _, err := full.Put(t.Context(), "i", strings.NewReader(""), remote.PutOptions{}); !errors.Is(err, remote.ErrNoSpace) {
		t.Errorf("%v", err)
	}
}

func TestSearchPolicies(t *testing.T) {
	for policy, want := range map[Policy]string{
		"all": "A", "epall": "A", "ff": "A", "epff": "A", "lfs": "A", "eplfs": "A", "mfs": "B", "epmfs": "B", "lus": "B", "eplus": "B",
		"lno": "A", "eplno": "A", "newest": "C", "rand": "A B C", "eprand": "A B C",
	} {
		ups := three(t)
		for i, u := range ups {
			o := remote.PutOptions{ModTime: time.Date(2001, 2, 3, 4, 5, i, 0, time.UTC)}
			if _, err := u.Put(t.Context(), "f", strings.NewReader(string(rune('A'+i))), o); err != nil {
				t.Fatal(err)
			}
		}
		r := union(t, Options{Search: policy}, ups)
		if got := content(t, r, "f"); !slices.Contains(strings.Fields(want), got) {
			t.Errorf("%s: %q is seen, want %s", policy, got, want)
		}
		listed := 0
		for e, err := range r.List(t.Context(), ".") {
			if err != nil {
				t.Fatal(err)
			}
			if e.Name == "f" {
				listed++
				if policy == "newest" && e.ModTime.Second() != 2 {
					t.Errorf("newest lists %v", e.ModTime)
				}
			}
		}
		if listed != 1 {
			t.Errorf("%s: listed %d times", policy, listed)
		}
	}
}

func TestActionPolicies(t *testing.T) {
	for policy, want := range map[Policy]string{ // which still have the file
		"all": "", "epall": "", "ff": "bc", "epff": "bc", "lfs": "bc", "eplfs": "bc", "mfs": "ac", "epmfs": "ac", "lus": "ac", "eplus": "ac",
		"lno": "bc", "eplno": "bc", "newest": "ab bc ac", "rand": "ab bc ac", "eprand": "ab bc ac",
	} {
		ups := three(t)
		for _, u := range ups {
			put(t, u, "f", "x")
		}
		r := union(t, Options{Action: policy}, ups)
		if err := r.Remove(t.Context(), "f"); err != nil {
			t.Errorf("%s: %v", policy, err)
		}
		if got := where(t, ups, "f"); got != want && !slices.Contains(strings.Fields(want), got) {
			t.Errorf("%s: the file is still in %q, want %q", policy, got, want)
		}
	}
}

func TestUnknownPoliciesAreRefused(t *testing.T) {
	_, err := New(Options{Upstreams: []Upstream{up(memory.New())}, Create: "best"})
	if err == nil || !strings.Contains(err.Error(), "create_policy") || !strings.Contains(err.Error(), "epmfs") {
		t.Errorf("%v", err)
	}
	if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "upstreams") {
		t.Errorf("%v", err)
	}
}
