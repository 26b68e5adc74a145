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
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

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
	if from, to = strings.ToLower(from), strings.ToLower(to); from == to {
		return nil
	}
	return f.Forward.Move(ctx, from, to)
}

// caseNames are names that differ in case, also in letters that not every remote takes for one.
func caseNames() []string {
	return []string{
		"a", "A", "b", "B", "d", "D", "d/a", "D/A", "d/A", "D/a", "d/e", "D/E", "d/E/f", "D/e/F", "d/e/f",
		"d/σ", "D/Σ", "d/ς", "Σ", "ς", "σ/a", "Σ/A", "ς/a",
	}
}

// TestNamesThatDifferInCase changes files and directories by any of their names, through the cache
// and beside it, and looks at them by any other.
func TestNamesThatDifferInCase(t *testing.T) {
	for _, capacity := range []int{0, 8} { // of 8, there is room for a few listings only
		synctest.Test(t, func(t *testing.T) {
			store := folding{remote.Forward{Remote: memory.New()}}
			o := fiveMinutes
			o.Entries = capacity
			c := New(store, breaker.New(breaker.Options{}), o)
			defer c.Close()
			rnd := rand.New(rand.NewPCG(1, uint64(capacity)))
			name := func() string { return caseNames()[rnd.IntN(len(caseNames()))] }
			for i := range 3000 {
				done := changeAtRandom(t.Context(), rnd, store, c, name(), name(), i)
				for _, dir := range []string{".", "d", "D", "d/e", "D/E", "σ", "Σ", "ς"} {
					if got, want := lowered(t, c, dir), lowered(t, store, dir); !slices.Equal(got, want) {
						t.Fatalf("step %d, %s: %s has %q, want %q", i, done, dir, got, want)
					}
				}
				look := name()
				got, err := c.Stat(t.Context(), look)
				want, wantErr := store.Stat(t.Context(), look)
				if (err == nil) != (wantErr == nil) || got.Size != want.Size || got.Dir != want.Dir {
					t.Fatalf("step %d, %s: %s is %+v, %v; want %+v, %v", i, done, look, got, err, want, wantErr)
				}
				checkSpellings(t, c)
			}
		})
	}
}

// changeAtRandom makes a change by way of c, or of store alone, which then reports it.
func changeAtRandom(ctx context.Context, rnd *rand.Rand, store remote.Remote, c *Tree, one, other string, size int) string {
	op := []string{"put", "remove", "mkdir", "rmdir", "move", "put", "move", "forget"}[rnd.IntN(8)]
	r, by := c.Direct(), "through the cache"
	if rnd.IntN(4) == 0 {
		r, by = store, "beside the cache"
	}
	switch op {
	case "put":
		_, _ = r.Put(ctx, one, strings.NewReader(strings.Repeat("x", size)), remote.PutOptions{})
	case "remove":
		_ = r.Remove(ctx, one)
	case "mkdir":
		_ = r.Mkdir(ctx, one)
	case "rmdir":
		_ = r.Rmdir(ctx, one)
	case "move":
		_ = remote.Move(ctx, r, one, other)
	default:
		c.Forget(one)
	}
	if r == store {
		for _, name := range []string{one, other} { // by the name that the store has
			e, err := store.Stat(ctx, name)
			c.ApplyRemoteChange(remote.Change{
				Name: strings.ToLower(name), Removed: err != nil, Dir: e.Dir, Below: op == "move" || op == "rmdir", Version: e.Version,
			})
		}
	}
	return strings.Join([]string{op, one, other, by}, " ")
}

// checkSpellings compares the spellings with what is remembered.
func checkSpellings(t *testing.T, c *Tree) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	want := map[string]bool{}
	for _, names := range [][]string{slices.Collect(maps.Keys(c.dirs)), slices.Collect(maps.Keys(c.names))} {
		for _, name := range names {
			for ; name != "."; name, _ = remote.Split(name) {
				want[name] = true
			}
			want["."] = true
		}
	}
	got := map[string]bool{}
	for _, s := range c.spellings.byKey {
		for ; s != nil; s = s.other {
			got[s.name] = true
		}
	}
	below := c.spellings.find(".").appendTree(nil)
	if !maps.Equal(got, want) || len(below) != len(want) {
		t.Fatalf("the spellings are %q, in the tree %q; want %q", slices.Sorted(maps.Keys(got)), below, slices.Sorted(maps.Keys(want)))
	}
	for l := range c.appeared {
		if c.dirs[l.dir] != l {
			t.Fatalf("the changes of a listing of %s are kept that is not", l.dir)
		}
	}
}

// TestWhatAChangeDrops compares what is dropped with a look at all that is remembered.
func TestWhatAChangeDrops(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	name := func() string { return caseNames()[rnd.IntN(len(caseNames()))] }
	for range 5000 {
		c := New(folding{remote.Forward{Remote: memory.New()}}, breaker.New(breaker.Options{}), fiveMinutes)
		for range rnd.IntN(12) {
			var entries []remote.Entry
			for range rnd.IntN(4) {
				entries = append(entries, remote.Entry{Name: remote.BaseOf(name())})
			}
			dir, _ := remote.Split(name() + "/x")
			c.mu.Lock()
			c.store(dir, entries, time.Now())
			c.cacheName(name(), nameEntry{exists: true, at: time.Now()}, c.changes)
			base := []string{"a", "A"}[rnd.IntN(2)] // often the same
			c.replace("d", base, []*remote.Entry{nil, {Name: base}}[rnd.IntN(2)])
			if l := c.dirs["d"]; rnd.IntN(3) == 0 && l != nil {
				c.rebase(l)
			}
			c.mu.Unlock()
		}
		changed := name()
		dirs, names := remaining(c, changed)
		c.mu.Lock()
		c.dropTwins(changed)
		gotDirs, gotNames := slices.Sorted(maps.Keys(c.dirs)), slices.Sorted(maps.Keys(c.names))
		c.mu.Unlock()
		if !slices.Equal(gotDirs, dirs) || !slices.Equal(gotNames, names) {
			t.Fatalf("%s: listings of %q and names %q remain, want %q and %q", changed, gotDirs, gotNames, dirs, names)
		}
		checkSpellings(t, c)
	}
}

// remaining returns what is remembered after dropTwins of name, as its comment has it.
func remaining(c *Tree, name string) (dirs, names []string) {
	dir, base := remote.Split(name)
	twin := func(p string) bool {
		key := foldName(p)
		return p != name && !remote.Below(p, name) && (key == foldName(name) || remote.Below(key, foldName(name)))
	}
	for d, l := range c.dirs {
		own, other := false, false
		(&snapshot{base: l.base, changed: l.changed}).yield(func(e remote.Entry, _ error) bool {
			own = own || e.Name == base
			other = other || foldName(e.Name) == foldName(base)
			return true
		})
		if !twin(d) && (d == dir || foldName(d) != foldName(dir)) && (d != dir || own || !other) {
			dirs = append(dirs, d)
		}
	}
	for p := range c.names {
		if !twin(p) {
			names = append(names, p)
		}
	}
	slices.Sort(dirs)
	slices.Sort(names)
	return dirs, names
}

// TestChangesAtATimeByAnyName makes changes in several goroutines.
func TestChangesAtATimeByAnyName(t *testing.T) {
	store := folding{remote.Forward{Remote: memory.New()}}
	c := New(store, breaker.New(breaker.Options{}), fiveMinutes)
	var workers sync.WaitGroup
	for worker := range uint64(4) {
		workers.Go(func() {
			rnd := rand.New(rand.NewPCG(5, worker))
			name := func() string { return caseNames()[rnd.IntN(len(caseNames()))] }
			for i := range 500 {
				changeAtRandom(t.Context(), rnd, store, c, name(), name(), i)
				_, _ = c.Stat(t.Context(), name())
				for range c.List(t.Context(), name()) {
				}
			}
		})
	}
	workers.Wait()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	checkSpellings(t, c)
	for _, name := range caseNames() {
		got, err := c.Stat(t.Context(), name)
		want, wantErr := store.Stat(t.Context(), name)
		if (err == nil) != (wantErr == nil) || got.Size != want.Size || got.Dir != want.Dir {
			t.Errorf("%s is %+v, %v; want %+v, %v", name, got, err, want, wantErr)
		}
	}
}

func TestNamesWithoutTheirCase(t *testing.T) {
	for r := range rune(0x20000) { // no letter above has another case
		for _, other := range []rune{unicode.SimpleFold(r), unicode.ToLower(r), unicode.ToUpper(r), unicode.ToTitle(r)} {
			if foldRune(r) != foldRune(other) {
				t.Errorf("%q and %q differ", r, other)
			}
		}
	}
	rnd := rand.New(rand.NewPCG(6, 7))
	letters := []string{"a", "A", "b", "B", "k", "K", "\u212a", "ς", "σ", "Σ", "ß", "ẞ", "İ", "\xff", "\xe2", "\x84", "\xaa", "\xc3", "_", "~", "😀"}
	var names []string
	for range 400 {
		name := ""
		for range rnd.IntN(4) {
			name += letters[rnd.IntN(len(letters))]
		}
		names = append(names, name)
	}
	slices.SortFunc(names, compareFolded)
	for i, a := range names {
		for j, b := range names {
			order := compareFolded(a, b)
			if (order == 0) != (foldName(a) == foldName(b)) || order != -compareFolded(b, a) || order < 0 && i > j {
				t.Fatalf("%q and %q: %d", a, b, order)
			}
		}
	}
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
