package vfs_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

// others is a vfs.Elsewhere of a test: entries by name, and node n2.
type others map[string]remote.Entry

func (o others) At(name string) (remote.Entry, string) {
	e, is := o[name]
	if !is {
		return e, ""
	}
	return e, "n2"
}

func (o others) In(dir string) map[string]remote.Entry {
	var all map[string]remote.Entry
	for name, e := range o {
		if parent, base := remote.Split(name); parent == dir {
			if all == nil {
				all = map[string]remote.Entry{}
			}
			all[base] = e
		}
	}
	return all
}

func (o others) Drop(name string) { delete(o, name) }

func waiting(name string, size int64) remote.Entry {
	return remote.Entry{Name: name, Size: size, ModTime: time.Unix(1e9, 0)}
}

// expectWaits wants an error that says that something waits for n2, and can be tried again.
func expectWaits(t *testing.T, what string, err error) {
	t.Helper()
	var hint interface{ Hint() string }
	if !errors.Is(err, syscall.ESTALE) || !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "n2") {
		t.Errorf("%s: %v", what, err)
	}
}

func TestWhatWaitsElsewhereIsShownAndCannotBeUsed(t *testing.T) {
	eachKind(t, func(t *testing.T, r remote.Remote) {
		o := others{"new": waiting("new", 7), "old": waiting("old", 9), "d": {Name: "d", Dir: true}, "d/f": waiting("f", 5)}
		v := vfs.New(r, vfs.Options{Elsewhere: o}).View("bob")
		upload(t, v, "old", "here", 0)
		if got := names(t, v, "."); got != "d new old" {
			t.Errorf("the listing shows %q", got)
		}
		if got := names(t, v, "d"); got != "f" {
			t.Errorf("the listing of a directory that is needed shows %q", got)
		}
		if size(t, v, "new") != 7 || size(t, v, "old") != 4 || size(t, v, "d/f") != 5 || content(t, v, "old") != "here" {
			t.Error("sizes are wrong, or what the remote has does not come first")
		}
		ctx := t.Context()
		info, err := v.Stat(ctx, "new")
		if err != nil || !info.ModTime().Equal(time.Unix(1e9, 0)) || info.(ftp.Waiting).WaitsAt() != "n2" {
			t.Errorf("%+v, %v", info, err)
		}
		if info, err := v.Stat(ctx, "old"); err != nil || info.(ftp.Waiting).WaitsAt() != "" {
			t.Errorf("%+v, %v", info, err)
		}
		if info, err := v.Stat(ctx, "d"); err != nil || !info.IsDir() {
			t.Errorf("a directory that is needed: %+v, %v", info, err)
		}
		_, err = v.Open(ctx, "new", 0)
		expectWaits(t, "open", err)
		expectWaits(t, "remove", v.Remove(ctx, "new"))
		expectWaits(t, "rename", v.Rename(ctx, "new", "other"))
		expectWaits(t, "rename a directory", v.Rename(ctx, "d", "other"))
		_, err = v.Create(ctx, "new", vfs.AtEnd)
		expectWaits(t, "append", err)
		_, err = v.Create(ctx, "new", 7)
		expectWaits(t, "continue", err)
		if _, err := v.CreateNew(ctx, "new", 0, false); !errors.Is(err, fs.ErrExist) {
			t.Errorf("create what must be new: %v", err)
		}
		wantGone(t, v, "other")
		upload(t, v, "new", "mine", 0)
		if size(t, v, "new") != 4 || content(t, v, "new") != "mine" {
			t.Error("a name that waits elsewhere cannot be stored")
		}
		if err := v.Remove(ctx, "new"); err != nil {
			t.Error(err)
		}
		wantGone(t, v, "new")
	})
}

func TestWhatIsHiddenIsHiddenElsewhere(t *testing.T) {
	o := others{"a.tmp": waiting("a.tmp", 7), "a": waiting("a", 9)}
	v := vfs.New(memory.New(), vfs.Options{Elsewhere: o, AllowCreate: func(_ context.Context, name string, _ bool) error {
		if strings.HasSuffix(name, ".tmp") {
			return remote.ErrBadName
		}
		return nil
	}}).View("bob")
	if got := names(t, v, "."); got != "a" {
		t.Errorf("the listing shows %q", got)
	}
	wantGone(t, v, "a.tmp")
}

// An unfinished upload of the client is not shown beside the file that waits elsewhere.
func TestAPartOfWhatWaitsElsewhereIsContinuedByItsSizeAlone(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		o := others{}
		v := vfs.New(r, vfs.Options{Elsewhere: o}).View("bob")
		cut(t, v, "f", "123", 0)
		o["f"] = waiting("f", 7)
		if got := names(t, v, "."); got != "f" || size(t, v, "f") != 7 {
			t.Errorf("the listing shows %q, of %d bytes", got, size(t, v, "f"))
		}
		_, err := v.Create(t.Context(), "f", vfs.AtEnd)
		expectWaits(t, "append", err)
		upload(t, v, "f", "45", 3)
		if got := content(t, v, "f"); got != "12345" {
			t.Errorf("the part became %q", got)
		}
	})
}

// Appeared has a listing without the name, and those of directories that come with it, asked for
// again, and no other.
func TestWhatMayHaveAppearedIsAskedForAgain(t *testing.T) {
	r := dear{remote.Forward{Remote: memory.New()}}
	tree := vfs.New(r, vfs.Options{DirCacheTime: time.Hour})
	t.Cleanup(func() { tree.Close() })
	v := tree.View("bob")
	put := func(name string) {
		t.Helper()
		if dir, _ := remote.Split(name); dir != "." {
			if err := r.Mkdir(t.Context(), dir); err != nil && !errors.Is(err, fs.ErrExist) {
				t.Fatal(err)
			}
		}
		if _, err := r.Put(t.Context(), name, strings.NewReader("x"), remote.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	put("a")
	names(t, v, ".")
	put("d/f")
	put("b")
	if got := names(t, v, "."); got != "a" {
		t.Fatalf("nothing is remembered: %q", got)
	}
	tree.Appeared("a")
	if got := names(t, v, "."); got != "a" {
		t.Errorf("what is there was asked for again: %q", got)
	}
	tree.Appeared("d/f")
	if got := names(t, v, "."); got != "a b d" {
		t.Errorf("the listing shows %q", got)
	}
	if got := names(t, v, "d"); got != "f" {
		t.Errorf("the listing shows %q", got)
	}
}

// dear is a remote that is worth remembering.
type dear struct{ remote.Forward }

func (d dear) Info() remote.Info {
	i := d.Forward.Info()
	i.Caps.CheapStat = false
	return i
}
