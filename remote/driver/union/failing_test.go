package union

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
)

var errAway = errors.New("away")

// away lets every call of a remote fail.
func away(r *faulty.Remote, ops ...faulty.Op) {
	for _, op := range ops {
		r.Inject(faulty.Fault{Op: op, Err: errAway, Times: -1})
	}
}

// An upstream that does not answer is not taken for empty.
func TestAnUpstreamThatIsAway(t *testing.T) {
	a, b := memory.New(), faulty.New(memory.New())
	put(t, a, "in a", "a")
	put(t, b, "in b", "b")
	mkdir(t, a, "d")
	r := newUnion(t, Options{Create: "ff"}, up(a), up(b))
	away(b, faulty.Stat, faulty.List, faulty.Open)
	ctx := t.Context()
	incomplete := 0
	got, omitted, err := remotetest.ListOmitting(remote.WithIncomplete(ctx, func() { incomplete++ }), r, ".")
	slices.Sort(got)
	if err != nil || strings.Join(got, ",") != "d,in a" || incomplete != 1 {
		t.Errorf("listed %q, %d times incomplete, %v", got, incomplete, err)
	}
	if len(omitted) != 1 || !strings.Contains(omitted[0], "does not answer") {
		t.Errorf("left out: %q", omitted)
	}
	if got := content(t, r, "in a"); got != "a" {
		t.Errorf("%q", got)
	}
	_, statErr := r.Stat(ctx, "in b")
	_, putErr := r.Put(ctx, "new", strings.NewReader("x"), remote.PutOptions{})
	_, overErr := r.Put(ctx, "in a", strings.NewReader("x"), remote.PutOptions{})
	_, stageErr := r.(remote.Stager).Stage(ctx, "new", remote.StageOptions{Owner: "o"})
	_, _, onlyErr := remotetest.ListOmitting(ctx, newUnion(t, Options{}, up(b)), ".")
	for call, err := range map[string]error{
		"Stat": statErr, "Put": putErr, "Put over": overErr, "Stage": stageErr, "Mkdir": r.Mkdir(ctx, "new"), "List of nothing else": onlyErr,
		"Remove": r.Remove(ctx, "in a"), "Rmdir": r.Rmdir(ctx, "d"), "Move": remote.Move(ctx, r, "in a", "moved"),
	} {
		if !errors.Is(err, errAway) || remote.Permanent(err) {
			t.Errorf("%s: %v", call, err)
		}
	}
	b.Heal()
	for name, want := range map[string]string{"in a": "a", "in b": "b", "new": "-", "moved": "-"} {
		if got := content(t, r, name); got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
}

// What was done on one upstream and failed on another is told, or undone.
func TestWhatIsHalfDone(t *testing.T) {
	both := func() (a remote.Remote, b *faulty.Remote, r remote.Remote) {
		a, b = memory.New(), faulty.New(memory.New())
		for _, u := range []remote.Remote{a, b} {
			put(t, u, "f", "old")
			mkdir(t, u, "d")
			put(t, u, "d/x", "x")
		}
		return a, b, newUnion(t, Options{Create: "all"}, up(a), up(b))
	}
	t.Run("Remove", func(t *testing.T) {
		a, b, _ := both()
		r := newUnion(t, Options{}, up(b), up(a)) // what is seen goes last
		away(b, faulty.Remove)
		if err := r.Remove(t.Context(), "f"); !errors.Is(err, errAway) || !strings.Contains(err.Error(), "it was done on memory:") {
			t.Errorf("%v", err)
		}
		if content(t, a, "f") != "-" || content(t, r, "f") != "old" {
			t.Error("it is not half done")
		}
		b.Heal()
		if err := r.Remove(t.Context(), "f"); err != nil || content(t, r, "f") != "-" {
			t.Errorf("again: %v", err)
		}
	})
	t.Run("Move", func(t *testing.T) {
		a, b, r := both()
		away(b, faulty.Move)
		for from, file := range map[string]string{"f": "f", "d": "d/x"} {
			err := remote.Move(t.Context(), r, from, "moved")
			if !errors.Is(err, errAway) || strings.Contains(err.Error(), "done on") {
				t.Errorf("%v", err)
			}
			if content(t, a, file) == "-" {
				t.Errorf("the move of %s was not undone", from)
			}
			if _, err := r.Stat(t.Context(), "moved"); !errors.Is(err, remote.ErrNotExist) {
				t.Errorf("%v", err)
			}
		}
	})
	t.Run("Put", func(t *testing.T) {
		a, b, r := both()
		b.Inject(faulty.Fault{Op: faulty.Put, After: 1 << 20, Err: remote.ErrNoSpace, Times: -1})
		_, err := r.Put(t.Context(), "f", bytes.NewReader(make([]byte, 4<<20)), remote.PutOptions{})
		if !errors.Is(err, remote.ErrNoSpace) || content(t, a, "f") != "old" || content(t, b, "f") != "old" {
			t.Errorf("%v, %.5q, %.5q", err, content(t, a, "f"), content(t, b, "f"))
		}
	})
	t.Run("Put of a body that fails", func(t *testing.T) {
		a, b, r := both()
		_, err := r.Put(t.Context(), "f", io.MultiReader(strings.NewReader("new"), failing{}), remote.PutOptions{})
		if !errors.Is(err, errAway) || content(t, a, "f") != "old" || content(t, b, "f") != "old" {
			t.Errorf("%v", err)
		}
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errAway }

func TestWhatMayNotBeChanged(t *testing.T) {
	base, top := memory.New(), memory.New()
	put(t, base, "f", "base")
	mkdir(t, base, "d")
	put(t, base, "d/x", "x")
	r := newUnion(t, Options{Create: "ff"}, up(top), Upstream{Remote: base, ReadOnly: true})
	ctx := t.Context()
	for call, err := range map[string]error{
		"Remove": r.Remove(ctx, "f"), "Move": remote.Move(ctx, r, "f", "g"), "Move of a directory": remote.Move(ctx, r, "d", "e"),
	} {
		if !errors.Is(err, remote.ErrPermission) {
			t.Errorf("%s: %v", call, err)
		}
	}
	put(t, r, "f", "over it")
	put(t, r, "d/y", "y")
	if content(t, r, "f") != "over it" || content(t, base, "f") != "base" || content(t, top, "d/y") != "y" {
		t.Error("the file above is not seen")
	}
	u, err := r.(remote.Stager).Stage(ctx, "d/x", remote.StageOptions{Owner: "o", Base: remote.BaseFile, Off: remote.AtEnd})
	if err == nil {
		_, err = io.WriteString(u, "+")
	}
	if err == nil {
		_, err = u.Commit(ctx, time.Time{})
	}
	if err != nil || content(t, r, "d/x") != "x+" || content(t, base, "d/x") != "x" {
		t.Errorf("%v, %q", err, content(t, r, "d/x"))
	}
	under := newUnion(t, Options{Create: "ff"}, Upstream{Remote: base, ReadOnly: true}, up(top))
	if _, err := under.Put(ctx, "f", strings.NewReader("hidden"), remote.PutOptions{}); !errors.Is(err, remote.ErrPermission) {
		t.Errorf("a file that would be hidden: %v", err)
	}
	nothing := newUnion(t, Options{}, Upstream{Remote: top, NoCreate: true})
	if _, err := nothing.Put(ctx, "new", strings.NewReader(""), remote.PutOptions{}); !errors.Is(err, remote.ErrPermission) {
		t.Errorf("a new file where none is taken: %v", err)
	}
	put(t, nothing, "f", "an old one is")
}

// A listing remembers few names, and yields none twice.
func TestLongListings(t *testing.T) {
	a, b := memory.New(), memory.New()
	for i := range 300 {
		if i < 200 {
			put(t, a, fmt.Sprint(i), "a")
		}
		if i >= 100 {
			put(t, b, fmt.Sprint(i), "b")
		}
	}
	r := newUnion(t, Options{}, up(a), up(b)).(*partReader)
	for _, most := range []int{0, 10, 150, 1000} {
		got := map[string]int{}
		for e, err := range r.list(t.Context(), ".", most) {
			if err != nil {
				t.Fatal(err)
			}
			got[e.Name]++
		}
		if len(got) != 300 || slices.Max(slices.Collect(maps.Values(got))) != 1 {
			t.Errorf("remembering %d: %d names", most, len(got))
		}
	}
}

// A rootless remote is that of a directory which is not there.
type rootless struct{ remote.Remote }

func missing(name string) error {
	return &fs.PathError{Op: "look", Path: name, Err: remote.ErrNotExist}
}

func (rootless) Stat(_ context.Context, name string) (remote.Entry, error) {
	return remote.Entry{}, missing(name)
}
func (rootless) Mkdir(_ context.Context, dir string) error { return missing(dir) }

func (rootless) List(_ context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) { yield(remote.Entry{}, missing(dir)) }
}

func (rootless) Put(_ context.Context, name string, _ io.Reader, _ remote.PutOptions) (remote.Entry, error) {
	return remote.Entry{}, missing(name)
}

// Of a directory that only one upstream has, the root of the others is missing.
func TestAnUpstreamWithoutItsRoot(t *testing.T) {
	gone, here := rootless{memory.New()}, memory.New()
	for _, policy := range []Policy{"ff", "epmfs", "all"} {
		r := newUnion(t, Options{Create: policy}, up(gone), up(here))
		dir := "d " + string(policy)
		mkdir(t, r, dir)
		put(t, r, dir+"/f", "content")
		if got := content(t, r, dir+"/f"); got != "content" {
			t.Errorf("%s: %q", policy, got)
		}
	}
	none := newUnion(t, Options{}, up(gone))
	if _, err := none.Stat(t.Context(), "."); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if err := none.Mkdir(t.Context(), "d"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
