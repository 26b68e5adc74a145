package objects_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/driver/internal/objects/objectstest"
	"ferry/remote/nameenc"
	"ferry/remote/remotetest"
)

// tree is what a driver makes of a Tree.
type tree struct{ *objects.Tree }

func (tree) Close() error { return nil }

func newTree(f *objectstest.Flat, root string) tree {
	return tree{objects.New(f, objects.Config{
		Name:    "flat:" + root,
		Root:    root,
		Names:   objects.Names{Encoding: nameenc.Slash | nameenc.InvalidUtf8 | nameenc.Dot},
		Holds:   func(k objects.Key) bool { return len(k.Prefix()) <= 1024 },
		Buckets: f,
	})}
}

func TestRemote(t *testing.T) {
	for _, root := range []string{"b", "/b/some/prefix/"} {
		t.Run(root, func(t *testing.T) {
			remotetest.Run(t, func(*testing.T) remote.Remote { return newTree(objectstest.NewFlat("b"), root) })
		})
	}
}

func TestWhatIsStoredDuringARenameIsNotLost(t *testing.T) {
	remotetest.RunRename(t, func(*testing.T) remote.Remote { return newTree(objectstest.NewFlat("b"), "b") })
}

// names lists dir.
func names(t *testing.T, r remote.Remote, dir string) []string {
	t.Helper()
	all := []string{}
	for e, err := range r.List(t.Context(), dir) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Dir {
			e.Name += "/"
		}
		all = append(all, e.Name)
	}
	return all
}

func put(t *testing.T, r remote.Remote, name, content string) error {
	t.Helper()
	_, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{})
	return err
}

func TestBucketsAreTheDirectoriesOfARootWithoutOne(t *testing.T) {
	ctx := t.Context()
	r := newTree(objectstest.NewFlat("one", "two"), "")
	if got := names(t, r, "."); !slices.Equal(got, []string{"one/", "two/"}) {
		t.Errorf("List: %q", got)
	}
	if err := r.Mkdir(ctx, "three"); err != nil {
		t.Error(err)
	}
	if err := r.Mkdir(ctx, "one"); !errors.Is(err, remote.ErrExist) {
		t.Errorf("Mkdir of one that is there: %v", err)
	}
	if err := put(t, r, "three/d/f", "x"); err != nil {
		t.Error(err)
	}
	if err := r.Copy(ctx, "three/d/f", "one/g"); err != nil {
		t.Error(err)
	}
	if got := names(t, r, "one"); !slices.Equal(got, []string{"g"}) {
		t.Errorf("List: %q", got)
	}
	if e, err := r.Stat(ctx, "three"); err != nil || !e.Dir || e.Name != "three" {
		t.Errorf("Stat: %+v, %v", e, err)
	}
	if _, err := r.Stat(ctx, "four"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Stat: %v", err)
	}
	if err := r.Rmdir(ctx, "three"); !errors.Is(err, remote.ErrNotEmpty) {
		t.Errorf("Rmdir of a full one: %v", err)
	}
	if err := r.Rmdir(ctx, "two"); err != nil {
		t.Error(err)
	}
	if err := put(t, r, "one", "x"); !errors.Is(err, remote.ErrIsDir) {
		t.Errorf("Put over a bucket: %v", err)
	}
	if err := put(t, r, "four", "x"); !errors.Is(err, remote.ErrPermission) {
		t.Errorf("Put beside the buckets: %v", err)
	}
	if err := r.Remove(ctx, "four"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Remove beside the buckets: %v", err)
	}
}

func TestARootThatIsMissingIsNotThere(t *testing.T) {
	r := newTree(objectstest.NewFlat(), "none/dir")
	if _, err := r.Stat(t.Context(), "."); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Stat: %v", err)
	}
}

func TestListLeavesOutWhatNoNameLeadsTo(t *testing.T) {
	f := objectstest.NewFlat("b")
	now := time.Now()
	for _, key := range []string{"d/", "d/f", "d//empty", "d/..", "d/．．", "d/\xff", "d/sub/x", "d/.ferry-part.-~1.f", "d/a／b"} {
		f.Set("b", key, "x", now)
	}
	r := newTree(f, "b")
	if got := names(t, r, "d"); !slices.Equal(got, []string{"f", "sub/"}) {
		t.Errorf("List: %q", got)
	}
}

func TestADirectoryHidesTheFileOfTheSameName(t *testing.T) {
	f := objectstest.NewFlat("b")
	for _, key := range []string{"a", "a-", "a-b", "a/inside", "a.d/x", "b/x", "c"} {
		f.Set("b", key, "x", time.Now())
	}
	r := newTree(f, "b")
	if got := names(t, r, "."); !slices.Equal(got, []string{"a-", "a-b", "a.d/", "a/", "b/", "c"}) {
		t.Errorf("List: %q", got)
	}
	if e, err := r.Stat(t.Context(), "a"); err != nil || !e.Dir {
		t.Errorf("Stat: %+v, %v", e, err)
	}
}

func TestHiddenNamesAreRefused(t *testing.T) {
	r := newTree(objectstest.NewFlat("b"), "b")
	if err := put(t, r, "d/.ferry-part.x.f", "x"); !errors.Is(err, remote.ErrBadName) {
		t.Errorf("Put: %v", err)
	}
	if err := put(t, r, strings.Repeat("n/", 600)+"f", "x"); !errors.Is(err, remote.ErrBadName) {
		t.Errorf("Put of a name that is too long: %v", err)
	}
}

func TestListRemovesWhatKilledProcessesLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := objectstest.NewFlat("b")
		f.Set("b", "d/.ferry-part.-~1.old", "x", time.Now().Add(-48*time.Hour))
		f.Set("b", "d/.ferry-part.-~1.new", "x", time.Now())
		f.Set("b", "d/f", "x", time.Now().Add(-48*time.Hour))
		r := newTree(f, "b")
		names(t, r, "d")
		if got := f.Keys("b"); len(got) != 3 {
			t.Errorf("left, though the clock may be wrong: %q", got)
		}
		time.Sleep(time.Hour)
		names(t, r, "d")
		if got := f.Keys("b"); !slices.Equal(got, []string{"d/.ferry-part.-~1.new", "d/f"}) {
			t.Errorf("left: %q", got)
		}
	})
}

func TestRmdirRemovesWhatIsHidden(t *testing.T) {
	f := objectstest.NewFlat("b")
	f.Set("b", "d/", "", time.Now())
	f.Set("b", "d/.ferry-part.-~1.new", "x", time.Now())
	if err := newTree(f, "b").Rmdir(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	if got := f.Keys("b"); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
}

func TestAReaderDescribesItsContent(t *testing.T) {
	f := objectstest.NewFlat("b")
	f.Set("b", "f", "0123456789", time.Now())
	r := newTree(f, "b")
	body, err := r.Open(t.Context(), "f", 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	want, err := r.Stat(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := remote.Describe(body); !ok || got != want {
		t.Errorf("%+v, Stat says %+v", got, want)
	}
	if b, err := io.ReadAll(body); string(b) != "34" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
}

func TestStoppingAListingFetchesNoMorePages(t *testing.T) {
	f := objectstest.NewFlat("b")
	for i := range 1000 {
		f.Set("b", "d/"+strings.Repeat("n", i+1), "x", time.Now())
	}
	r := newTree(f, "b")
	for range r.List(t.Context(), "d") {
		break
	}
	if f.Pages() > 2 {
		t.Errorf("%d pages for the first entry", f.Pages())
	}
}

func TestAnObjectMayStandForADirectory(t *testing.T) {
	f := objectstest.NewFlat("b")
	f.Set("b", "d/f", "x", time.Now())
	f.SetDir("b", "d")
	f.SetDir("b", "empty")
	r := newTree(f, "b")
	if got := names(t, r, "."); !slices.Equal(got, []string{"d/", "empty/"}) {
		t.Errorf("List: %q", got)
	}
	if got := names(t, r, "empty"); len(got) > 0 {
		t.Errorf("List of an empty one: %q", got)
	}
	if e, err := r.Stat(t.Context(), "empty"); err != nil || !e.Dir {
		t.Errorf("Stat: %+v, %v", e, err)
	}
	if err := r.Mkdir(t.Context(), "empty"); !errors.Is(err, remote.ErrExist) {
		t.Errorf("Mkdir: %v", err)
	}
	if err := r.Rmdir(t.Context(), "d"); !errors.Is(err, remote.ErrNotEmpty) {
		t.Errorf("Rmdir of a full one: %v", err)
	}
	if err := r.Rmdir(t.Context(), "empty"); err != nil {
		t.Error(err)
	}
	if got := f.Keys("b"); !slices.Equal(got, []string{"d", "d/f"}) {
		t.Errorf("left: %q", got)
	}
}

func TestAnUploadAsksOnceWhetherTheNameIsADirectory(t *testing.T) {
	f := objectstest.NewFlat("b")
	r := newTree(f, "b")
	upload := func(base remote.Base, want int) {
		t.Helper()
		before := f.Pages()
		s, err := r.Stage(t.Context(), "d/f", remote.StageOptions{Owner: "alice", Base: base})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
			t.Error(err)
		}
		if got := f.Pages() - before; got != want {
			t.Errorf("%d pages, want %d", got, want)
		}
	}
	upload(remote.BaseEmpty, 2) // the first is always empty
	upload(remote.BaseFile, 0)  // the file is there
}

// A watched store notes what it is asked of uploads, all of which are long ones.
type watched struct {
	*objectstest.Flat
	calls *[]string
}

func (w watched) Page(ctx context.Context, k objects.Key, token string, limit int) (objects.Page, error) {
	*w.calls = append(*w.calls, "page "+k.Name)
	return w.Flat.Page(ctx, k, token, limit)
}

func (w watched) Create(ctx context.Context, k objects.Key, o objects.CreateOptions) (objects.Draft, error) {
	d, err := w.Flat.Create(ctx, k, o)
	return watchedDraft{d, w.calls}, err
}

type watchedDraft struct {
	objects.Draft
	calls *[]string
}

func (watchedDraft) Long() bool { return true }

func (d watchedDraft) Finish() error {
	*d.calls = append(*d.calls, "finish")
	return nil
}

func (d watchedDraft) Commit(ctx context.Context, modTime time.Time) (objects.Object, error) {
	*d.calls = append(*d.calls, "commit")
	return d.Draft.Commit(ctx, modTime)
}

// What is asked at the end of a long upload is asked while its last bytes are on their way.
func TestTheEndOfALongUploadDoesNotWait(t *testing.T) {
	var calls []string
	r := treeOf(watched{objectstest.NewFlat("b"), &calls}, 0)
	s, err := r.Stage(t.Context(), "d/f", remote.StageOptions{Owner: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	calls = nil
	if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"finish", "page d/f/", "page d/f/", "commit"}; !slices.Equal(calls, want) {
		t.Errorf("%q, want %q", calls, want)
	}
}
