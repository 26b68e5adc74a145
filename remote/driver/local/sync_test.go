package local

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

// A spy notes what is done in directories that counts after a loss of power.
type spy struct {
	openedTree
	events []string
	err    error // of a sync of a directory
}

func (s *spy) note(what, name string) {
	if partname.Hidden(name) {
		name = "hidden"
	}
	s.events = append(s.events, what+" "+name)
}

func (s *spy) dir(name string) (dir, error) {
	d, err := s.openedTree.dir(name)
	return &spyDir{d, s, name}, err
}

type spyDir struct {
	dir
	spy  *spy
	name string
}

func (d *spyDir) rename(from string, in dir, to string, replace bool) error {
	err := d.dir.rename(from, in.(*spyDir).dir, to, replace)
	if err == nil {
		d.spy.note("rename", to)
	}
	return err
}

func (d *spyDir) sync() error {
	d.spy.note("sync dir", d.name)
	return errors.Join(d.spy.err, d.dir.sync())
}

func (d *spyDir) chtimes(base string, t time.Time) error {
	d.spy.note("set time", base)
	return d.dir.chtimes(base, t)
}

// newSpied is a directory with d/f, d/g and e in it.
func newSpied(t *testing.T, open openFunc, o Options) (*Remote, *spy) {
	t.Helper()
	top := t.TempDir()
	for _, err := range []error{
		os.MkdirAll(filepath.Join(top, "d"), 0o755), os.Mkdir(filepath.Join(top, "e"), 0o755),
		os.WriteFile(filepath.Join(top, "d/f"), []byte("f"), 0o644), os.WriteFile(filepath.Join(top, "d/g"), []byte("g"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s := &spy{}
	r := openDir(t, top, func(path string, a *access) (openedTree, error) {
		inner, err := open(path, a)
		s.openedTree = inner
		return s, err
	}, o)
	t.Cleanup(func() { r.Close() })
	if r.syncFile != nil {
		r.syncFile = func(f *os.File) error {
			s.events = append(s.events, "sync file")
			return f.Sync()
		}
	}
	return r, s
}

func stored(t *testing.T, r *Remote, name string) error {
	_, err := r.Put(t.Context(), name, strings.NewReader("new"), remote.PutOptions{})
	return err
}

func TestWhatIsAcknowledgedIsOnTheDisk(t *testing.T) {
	for what, test := range map[string]struct {
		do   func(t *testing.T, r *Remote) error
		want []string
	}{
		"a new file":  {func(t *testing.T, r *Remote) error { return stored(t, r, "d/new") }, []string{"sync file", "rename new", "sync dir d"}},
		"a new one":   {func(t *testing.T, r *Remote) error { return stored(t, r, "new") }, []string{"sync file", "rename new", "sync dir ."}},
		"another one": {func(t *testing.T, r *Remote) error { return stored(t, r, "d/f") }, []string{"sync file", "rename f", "sync dir d"}},
		"a time": {func(t *testing.T, r *Remote) error {
			_, err := r.Put(t.Context(), "d/f", strings.NewReader("new"), remote.PutOptions{ModTime: time.Unix(1e9, 0)})
			return err
		}, []string{"set time hidden", "sync file", "set time hidden", "rename f", "sync dir d"}},
		"an upload": {func(t *testing.T, r *Remote) error {
			s := stageOf(t, r, "d/f", remote.StageOptions{Owner: "o", Base: remote.BaseFile, Off: remote.AtEnd})
			writeTo(t, s, "more")
			_, err := s.Commit(t.Context(), time.Time{})
			return err
		}, []string{"sync file", "rename f", "sync dir d"}},
		"a part": {func(t *testing.T, r *Remote) error {
			s := stageOf(t, r, "d/f", remote.StageOptions{Owner: "o"})
			writeTo(t, s, "more")
			return errors.Join(s.Keep(), r.DropPart(t.Context(), "d/f", "o"))
		}, []string{"rename hidden"}},
		"a copy": {func(t *testing.T, r *Remote) error { return r.Copy(t.Context(), "d/f", "e/f") },
			[]string{"set time hidden", "sync file", "set time hidden", "rename f", "sync dir e"}},
		"another name": {func(t *testing.T, r *Remote) error { return r.Move(t.Context(), "d/f", "d/g") }, []string{"rename g", "sync dir d", "sync dir d"}},
		"another place": {func(t *testing.T, r *Remote) error { return r.Move(t.Context(), "d/f", "e/f") },
			[]string{"rename f", "sync dir e", "sync dir d"}},
		"a directory that moves": {func(t *testing.T, r *Remote) error { return r.Move(t.Context(), "d", "e/d") }, []string{"rename d", "sync dir e", "sync dir ."}},
		"a removal":              {func(t *testing.T, r *Remote) error { return r.Remove(t.Context(), "d/f") }, []string{"sync dir d"}},
		"a directory":            {func(t *testing.T, r *Remote) error { return r.Mkdir(t.Context(), "d/new") }, []string{"sync dir d"}},
		"one that goes":          {func(t *testing.T, r *Remote) error { return r.Rmdir(t.Context(), "e") }, []string{"sync dir ."}},
		"nothing": {func(t *testing.T, r *Remote) error {
			if err := r.Mkdir(t.Context(), "d"); !errors.Is(err, remote.ErrExist) {
				return err
			}
			return nil
		}, nil},
	} {
		for name, open := range map[string]openFunc{"system": openTree, "root": openRootTree} {
			t.Run(what+" "+name, func(t *testing.T) {
				r, s := newSpied(t, open, Options{Sync: true})
				if err := test.do(t, r); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(s.events, test.want) {
					t.Errorf("it does %q, want %q", s.events, test.want)
				}
			})
		}
	}
}

func TestNothingIsSyncedUnlessItIsAskedFor(t *testing.T) {
	r, s := newSpied(t, openTree, Options{})
	if err := errors.Join(stored(t, r, "d/f"), r.Mkdir(t.Context(), "x"), r.Remove(t.Context(), "d/f")); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(s.events, func(e string) bool { return strings.HasPrefix(e, "sync") }) {
		t.Errorf("it does %q", s.events)
	}
}

func TestAFileThatCannotBeSyncedIsNotThere(t *testing.T) {
	r, _ := newSpied(t, openTree, Options{Sync: true})
	r.syncFile = func(*os.File) error { return syscall.EIO }
	if err := stored(t, r, "d/f"); !errors.Is(err, syscall.EIO) {
		t.Errorf("Put: %v", err)
	}
	s := stageOf(t, r, "d/new", remote.StageOptions{Owner: "o"})
	writeTo(t, s, "text")
	if _, err := s.Commit(t.Context(), time.Time{}); !errors.Is(err, syscall.EIO) {
		t.Errorf("Commit: %v", err)
	}
	if err := s.Keep(); err != nil {
		t.Error(err)
	}
	if got := listing(t, r, "d"); got != "f g" {
		t.Errorf("there are %s", got)
	}
	rc, err := r.Open(t.Context(), "d/f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if got, err := io.ReadAll(rc); string(got) != "f" || err != nil {
		t.Errorf("the old file has %q, %v", got, err)
	}
}

func TestADirectoryThatCannotBeSyncedIsAnError(t *testing.T) {
	r, s := newSpied(t, openTree, Options{Sync: true})
	s.err = syscall.EIO
	ctx := t.Context()
	for what, err := range map[string]error{
		"Put": stored(t, r, "d/f"), "Mkdir": r.Mkdir(ctx, "x"), "Remove": r.Remove(ctx, "d/g"), "Move": r.Move(ctx, "d/f", "e/f"),
	} {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := syncDir(os.NewFile(^uintptr(0), "none")); err == nil || errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("what is no directory: %v", err)
	}
}
