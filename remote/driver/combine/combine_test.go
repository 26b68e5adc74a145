package combine_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/combine"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers"
)

// plain hides every optional interface of the remote it holds.
type plain struct{ remote.Remote }

func up(dir string, r remote.Remote) combine.Upstream { return combine.Upstream{Dir: dir, Remote: r} }

func newTree(t *testing.T, upstreams ...combine.Upstream) remote.Remote {
	t.Helper()
	r, err := combine.New(upstreams)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnUpstreamKeepsItsContracts(t *testing.T) {
	servers.SkipLong(t)
	t.Run("memory", func(t *testing.T) {
		remotetest.Run(t, func(t *testing.T) remote.Remote {
			return staged{below{newTree(t, up("a", memory.New()), up("b", memory.New())), "b"}}
		})
	})
	t.Run("local", func(t *testing.T) {
		remotetest.Run(t, func(t *testing.T) remote.Remote {
			disk, err := local.New(t.TempDir(), local.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return staged{below{newTree(t, up("b", disk)), "b"}}
		})
	})
	t.Run("beside one without abilities", func(t *testing.T) {
		remotetest.Run(t, func(t *testing.T) remote.Remote {
			return below{newTree(t, up("a", plain{memory.New()}), up("b", memory.New())), "b"}
		})
	})
}

func TestTheRootIsTheUpstreams(t *testing.T) {
	ctx := t.Context()
	r := newTree(t, up("b", memory.New()), up("a", memory.New()))
	defer r.Close()
	got := map[string]remote.Entry{}
	for e, err := range r.List(ctx, ".") {
		if err != nil {
			t.Fatal(err)
		}
		if s, err := r.Stat(ctx, e.Name); err != nil || s != e || !s.Dir {
			t.Errorf("List %+v, Stat %+v, %v", e, s, err)
		}
		got[e.Name] = e
	}
	if names := slices.Sorted(maps.Keys(got)); strings.Join(names, " ") != "a b" {
		t.Errorf("entries %q", names)
	}
	if got["a"].ID == got["b"].ID {
		t.Error("two directories have the same ID")
	}
	if e, err := r.Stat(ctx, "."); err != nil || !e.Dir || !e.ReadOnly || e.Name != "." {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestTheRootCannotBeChanged(t *testing.T) {
	ctx := t.Context()
	r := newTree(t, up("a", memory.New()), up("b", memory.New()))
	defer r.Close()
	put(t, r, "a/f", "x")
	if err := r.Mkdir(ctx, "a/d"); err != nil {
		t.Fatal(err)
	}
	_, putNew := r.Put(ctx, "new", strings.NewReader(""), remote.PutOptions{})
	_, putDir := r.Put(ctx, "a", strings.NewReader(""), remote.PutOptions{})
	_, putRoot := r.Put(ctx, ".", strings.NewReader(""), remote.PutOptions{})
	_, putBelow := r.Put(ctx, "new/f", strings.NewReader(""), remote.PutOptions{})
	_, statNew := r.Stat(ctx, "new")
	_, openDir := r.Open(ctx, "a", 0, -1)
	_, openRoot := r.Open(ctx, ".", 0, -1)
	for what, c := range map[string]struct{ err, want error }{
		"putting a file into it":          {putNew, remote.ErrPermission},
		"putting a file over a directory": {putDir, remote.ErrIsDir},
		"putting a file over it":          {putRoot, remote.ErrIsDir},
		"putting a file below nothing":    {putBelow, remote.ErrNotExist},
		"what is not there":               {statNew, remote.ErrNotExist},
		"opening a directory":             {openDir, remote.ErrIsDir},
		"opening it":                      {openRoot, remote.ErrIsDir},
		"making a directory in it":        {r.Mkdir(ctx, "new"), remote.ErrPermission},
		"making one that is there":        {r.Mkdir(ctx, "a"), remote.ErrExist},
		"making it":                       {r.Mkdir(ctx, "."), remote.ErrExist},
		"removing a directory of it":      {r.Rmdir(ctx, "b"), remote.ErrPermission},
		"removing it":                     {r.Rmdir(ctx, "."), remote.ErrPermission},
		"removing what is not there":      {r.Rmdir(ctx, "new"), remote.ErrNotExist},
		"deleting a directory of it":      {r.Remove(ctx, "a"), remote.ErrIsDir},
		"deleting it":                     {r.Remove(ctx, "."), remote.ErrIsDir},
		"moving a directory of it":        {remote.Move(ctx, r, "a", "b/c"), remote.ErrPermission},
		"moving one to a new name":        {remote.Move(ctx, r, "a", "new"), remote.ErrPermission},
		"moving it":                       {remote.Move(ctx, r, ".", "a/x"), remote.ErrPermission},
		"moving a file into it":           {remote.Move(ctx, r, "a/f", "new"), remote.ErrPermission},
		"moving a file over a directory":  {remote.Move(ctx, r, "a/f", "b"), remote.ErrIsDir},
		"moving a directory into it":      {remote.Move(ctx, r, "a/d", "new"), remote.ErrPermission},
		"moving what is not there":        {remote.Move(ctx, r, "a/none", "new"), remote.ErrNotExist},
		"moving a directory onto itself":  {remote.Move(ctx, r, "a", "a"), nil},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", what, c.err, c.want)
		}
		var pe *fs.PathError
		if c.want != nil && !errors.As(c.err, &pe) {
			t.Errorf("%s: %T", what, c.err)
		}
	}
	if got := get(t, r, "a/f"); got != "x" {
		t.Errorf("the file holds %q", got)
	}
}

func TestFilesMoveBetweenUpstreams(t *testing.T) {
	ctx := t.Context()
	r := newTree(t, up("a", memory.New()), up("b", memory.New()))
	defer r.Close()
	put(t, r, "a/f", "new")
	put(t, r, "b/g", "old")
	when := time.Unix(1e9, 0)
	if err := remote.SetModTime(ctx, r, "a/f", when); err != nil {
		t.Fatal(err)
	}
	if err := remote.Move(ctx, r, "a/f", "b/g"); err != nil {
		t.Fatal(err)
	}
	if got := get(t, r, "b/g"); got != "new" {
		t.Errorf("content %q", got)
	}
	if e, err := r.Stat(ctx, "b/g"); err != nil || !e.ModTime.Equal(when) {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := r.Stat(ctx, "a/f"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("the old name: %v", err)
	}
	if err := r.Mkdir(ctx, "a/d"); err != nil {
		t.Fatal(err)
	}
	if err := remote.Move(ctx, r, "a/d", "b/d"); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("a directory: %v", err)
	}
}

func TestErrorsNameTheWholePath(t *testing.T) {
	r := newTree(t, up("a", memory.New()))
	defer r.Close()
	_, err := r.Stat(t.Context(), "a/d/none")
	var pe *fs.PathError
	if !errors.As(err, &pe) || pe.Path != "a/d/none" {
		t.Errorf("%v", err)
	}
}

// broken cannot be reached.
type broken struct{ remote.Remote }

var errBroken = errors.New("no route to host")

func (broken) Stat(context.Context, string) (remote.Entry, error) { return remote.Entry{}, errBroken }

func TestAnUpstreamThatIsAwayDoesNotHideTheOthers(t *testing.T) {
	r := newTree(t, up("a", broken{memory.New()}), up("b", memory.New()))
	defer r.Close()
	n := 0
	for e, err := range r.List(t.Context(), ".") {
		if err != nil || !e.Dir {
			t.Errorf("%+v, %v", e, err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d entries", n)
	}
	if _, err := r.Stat(t.Context(), "a"); !errors.Is(err, errBroken) {
		t.Errorf("the one that is away: %v", err)
	}
}

func TestCapsAreWhatAllHave(t *testing.T) {
	rough := capped{memory.New(), remote.Caps{ModTime: time.Second, MaxName: 100, ImplicitDirs: true, ReadOnly: true}}
	fine := capped{memory.New(), remote.Caps{ModTime: time.Nanosecond, Modes: true, MoveDir: true, CheapStat: true}}
	r := newTree(t, up("a", rough), up("b", fine))
	defer r.Close()
	if got, want := r.Info().Caps, (remote.Caps{ModTime: time.Second, MaxName: 100, ImplicitDirs: true}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if _, ok := remote.AsStager(r); ok {
		t.Error("it stages, but one of its upstreams cannot")
	}
}

type capped struct {
	remote.Remote
	caps remote.Caps
}

func (c capped) Info() remote.Info { return remote.Info{Name: "capped:", Caps: c.caps} }

func TestUpstreamsThatMakeNoTreeAreRefused(t *testing.T) {
	m := memory.New()
	for what, upstreams := range map[string][]combine.Upstream{
		"none":            nil,
		"without a name":  {up("", m)},
		"with a path":     {up("a/b", m)},
		"two of one name": {up("a", m), up("a", m)},
		"the root":        {up(".", m)},
		"the parent":      {up("..", m)},
	} {
		if _, err := combine.New(upstreams); err == nil || !strings.Contains(err.Error(), "option upstreams") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func put(t *testing.T, r remote.Remote, name, content string) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, r remote.Remote, name string) string {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// unread is a Stager that does not let read what it keeps of uploads.
type unread struct {
	remote.Remote
	remote.Stager
}

func TestPartsAreReadWhereAllUpstreamsReadThem(t *testing.T) {
	for want, r := range map[bool]remote.Remote{
		true:  newTree(t, up("a", memory.New()), up("b", memory.New())),
		false: newTree(t, up("a", memory.New()), up("b", newUnread())),
	} {
		if _, stages := remote.AsStager(r); !stages {
			t.Error("it is no Stager")
		}
		if _, reads := remote.AsPartReader(r); reads != want {
			t.Errorf("it reads parts: %v", reads)
		}
	}
}

func newUnread() unread {
	r := memory.New()
	return unread{r, r}
}

// TestPartsShowWhereTheyCanBeContinued: one of the upstreams is no Stager.
func TestPartsShowWhereTheyCanBeContinued(t *testing.T) {
	for want, other := range map[int]remote.Remote{1: memory.New(), 0: plain{memory.New()}} {
		m := memory.New()
		s, err := m.Stage(t.Context(), "f", remote.StageOptions{Owner: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(s, "part"); err != nil {
			t.Error(err)
		}
		if err := s.Keep(); err != nil {
			t.Fatal(err)
		}
		got := 0
		for e, err := range newTree(t, up("a", m), up("b", other)).List(t.Context(), "a") {
			if err != nil || e.Part != "alice" {
				t.Errorf("%+v, %v", e, err)
			}
			got++
		}
		if got != want {
			t.Errorf("%d are listed, want %d", got, want)
		}
	}
}
