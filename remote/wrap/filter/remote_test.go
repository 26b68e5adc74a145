package filter

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
)

// behind is a filtered remote, and what is behind it.
type behind struct {
	*Remote
	t     *testing.T
	store *memory.Remote
	calls *faulty.Remote
}

// newBehind fills a remote with paths; those that end with a slash are of directories.
func newBehind(t *testing.T, o Options, paths string) *behind {
	t.Helper()
	if o.MaxSize == 0 {
		o.MaxSize = -1
	}
	f, err := Parse(o)
	if err != nil {
		t.Fatal(err)
	}
	store := memory.New()
	calls := faulty.New(store)
	b := &behind{New(calls, f), t, store, calls}
	for path := range strings.FieldsSeq(paths) {
		name, isDir := strings.CutSuffix(path, "/")
		if !isDir {
			b.put(name, path)
		} else if err := store.Mkdir(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *behind) put(name, content string) {
	b.t.Helper()
	if _, err := b.store.Put(context.Background(), name, strings.NewReader(content), remote.PutOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *behind) shows(dir, want string) {
	b.t.Helper()
	var names []string
	for e, err := range b.List(context.Background(), dir) {
		if err != nil {
			b.t.Errorf("List(%q): %v", dir, err)
			return
		}
		names = append(names, e.Name)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != want {
		b.t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func TestConformance(t *testing.T) {
	f, err := Parse(Options{MinSize: -1, MaxSize: -1})
	if err != nil {
		t.Fatal(err)
	}
	remotetest.RunDecorator(t, func() remote.Remote { return memory.New() }, func(r remote.Remote) remote.Remote { return New(r, f) })
}

// A filter that leaves nothing of this out changes nothing, whatever it has to ask for.
func TestConformanceWithEveryKindOfRule(t *testing.T) {
	f, err := Parse(Options{
		Filter: []string{"- *.no-such-name", "- /no-such-dir/"}, ExcludeIfPresent: []string{".no-such-marker"},
		MaxSize: 1 << 40, MaxAge: math.MaxInt64,
	})
	if err != nil {
		t.Fatal(err)
	}
	remotetest.Run(t, func(*testing.T) remote.Remote { return New(memory.New(), f) })
}

func TestWhatIsLeftOutDoesNotExist(t *testing.T) {
	b := newBehind(t, Options{Exclude: []string{"*.bak", "/hidden/"}}, "a a.bak hidden/ hidden/f dir/ dir/b.bak")
	ctx := t.Context()
	b.shows(".", "a dir")
	b.shows("dir", "")
	if err := b.store.Mkdir(ctx, "d.bak"); err != nil {
		t.Fatal(err)
	}
	b.shows(".", "a d.bak dir") // the rule is one for files
	for _, name := range []string{"a.bak", "dir/b.bak", "hidden", "hidden/f"} {
		_, statErr := b.Stat(ctx, name)
		_, openErr := b.Open(ctx, name, 0, -1)
		_, hashErr := b.Hash(ctx, name, "md5")
		_, partErr := b.Part(ctx, name, "bob")
		for op, err := range map[string]error{
			"stat": statErr, "open": openErr, "hash": hashErr, "part": partErr, "droppart": b.DropPart(ctx, name, "bob"),
			"remove": b.Remove(ctx, name), "rmdir": b.Rmdir(ctx, name), "move": b.Move(ctx, name, "x"), "copy": b.Copy(ctx, name, "x"),
			"setmodtime": b.SetModTime(ctx, name, time.Now()), "setmode": b.SetMode(ctx, name, 0o600),
		} {
			if !errors.Is(err, remote.ErrNotExist) {
				t.Errorf("%s %s: %v", op, name, err)
			}
		}
	}
	for _, err := range b.List(ctx, "hidden") {
		if !errors.Is(err, remote.ErrNotExist) {
			t.Errorf("list: %v", err)
		}
	}
	if _, err := b.store.Stat(ctx, "a.bak"); err != nil {
		t.Errorf("something was done to it: %v", err)
	}
}

func TestMakingWhatWouldBeLeftOutIsRefused(t *testing.T) {
	b := newBehind(t, Options{Include: []string{"*.jpg"}, Exclude: []string{"hidden/"}}, "a.jpg dir/")
	ctx := t.Context()
	_, putErr := b.Put(ctx, "a.txt", strings.NewReader(""), remote.PutOptions{})
	_, stageErr := b.Stage(ctx, "dir/a.txt", remote.StageOptions{Owner: "bob"})
	for op, err := range map[string]error{
		"put": putErr, "stage": stageErr, "move": b.Move(ctx, "a.jpg", "a.txt"), "copy": b.Copy(ctx, "a.jpg", "a.txt"),
		"AllowCreate": b.AllowCreate(ctx, "a.txt", false),
	} {
		var h interface{ Hint() string }
		if !errors.Is(err, remote.ErrBadName) || !errors.As(err, &h) || !strings.Contains(h.Hint(), "--include") {
			t.Errorf("%s: %v", op, err)
		}
	}
	if err := b.AllowCreate(ctx, "dir/new.jpg", false); err != nil {
		t.Errorf("what is included may not be made: %v", err)
	}
	if err := b.Move(ctx, "dir", "dir.txt"); err != nil {
		t.Errorf("a rule for files keeps a directory from a name: %v", err)
	}
	if err := b.Mkdir(ctx, "new"); err != nil {
		t.Error(err)
	}
	b = newBehind(t, Options{Exclude: []string{"hidden/"}}, "dir/")
	if err := errors.Join(b.Mkdir(ctx, "hidden"), b.AllowCreate(ctx, "hidden", true)); !errors.Is(err, remote.ErrBadName) {
		t.Errorf("mkdir: %v", err)
	}
}

func TestSizes(t *testing.T) {
	b := newBehind(t, Options{MinSize: 2, MaxSize: 4}, "dir/")
	ctx := t.Context()
	for _, name := range []string{"1", "22", "4444", "55555"} {
		b.put(name, name)
	}
	b.shows(".", "22 4444 dir")
	if _, err := b.Open(ctx, "55555", 0, -1); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("open: %v", err)
	}
	if err := b.Remove(ctx, "1"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("remove: %v", err)
	}
	rc, err := b.Open(ctx, "22", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if got, err := io.ReadAll(rc); string(got) != "22" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := b.Put(ctx, "55555", strings.NewReader("too large"), remote.PutOptions{}); err != nil {
		t.Errorf("sizes forbid to store: %v", err)
	}
}

func TestAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, Options{MinAge: time.Hour, MaxAge: 2 * time.Hour}, "f")
		b.shows(".", "")
		time.Sleep(time.Hour)
		b.shows(".", "f")
		time.Sleep(time.Hour)
		b.shows(".", "f")
		time.Sleep(time.Second)
		b.shows(".", "")
	})
}

const marked3 = "dir1/ dir1/file1 dir1/dir2/ dir1/dir2/file2 dir1/dir2/dir3/ dir1/dir2/dir3/file3 dir1/dir2/dir3/.ignore"

func TestAMarkerExcludesItsDirectory(t *testing.T) {
	b := newBehind(t, Options{ExcludeIfPresent: []string{".nothing", ".ignore"}}, marked3)
	ctx := t.Context()
	b.shows("dir1", "dir2 file1")
	b.shows("dir1/dir2", "file2")
	for _, name := range []string{"dir1/dir2/dir3", "dir1/dir2/dir3/file3", "dir1/dir2/dir3/.ignore"} {
		if _, err := b.Stat(ctx, name); !errors.Is(err, remote.ErrNotExist) {
			t.Errorf("stat %s: %v", name, err)
		}
	}
	if err := b.Rmdir(ctx, "dir1/dir2/dir3"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("rmdir: %v", err)
	}
	if err := b.AllowCreate(ctx, "dir1/dir2/dir3/new", false); !errors.Is(err, remote.ErrBadName) {
		t.Errorf("AllowCreate: %v", err)
	}
}

func TestAMarkerThatIsADirectory(t *testing.T) {
	b := newBehind(t, Options{ExcludeIfPresent: []string{"dir3/"}}, marked3)
	b.shows("dir1", "file1")
	b = newBehind(t, Options{ExcludeIfPresent: []string{"dir3"}}, marked3)
	b.shows("dir1", "dir2 file1")
}

func TestAMarkerInTheRootEmptiesIt(t *testing.T) {
	b := newBehind(t, Options{ExcludeIfPresent: []string{".ignore"}}, ".ignore f")
	b.shows(".", "")
	if e, err := b.Stat(t.Context(), "."); err != nil || !e.Dir {
		t.Errorf("the root is %v, %v", e, err)
	}
}

func TestMarkersAreAskedForSeveralAtATimeAndRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var paths strings.Builder
		for i := range 40 {
			paths.WriteString(string(rune('A'+i)) + "/ ")
		}
		b := newBehind(t, Options{ExcludeIfPresent: []string{".ignore"}}, paths.String())
		b.put("B/.ignore", "")
		b.calls.Inject(faulty.Fault{Op: faulty.Stat, Delay: 100 * time.Millisecond, Slow: true, Times: -1})
		begun := time.Now()
		n := 0
		for range b.List(t.Context(), ".") {
			n++
		}
		if took := time.Since(begun); n != 39 || took > 400*time.Millisecond {
			t.Errorf("%d directories took %v", n, took)
		}
		before := b.calls.Calls(faulty.Stat)
		b.List(t.Context(), ".")(func(remote.Entry, error) bool { return true })
		if asked := b.calls.Calls(faulty.Stat) - before; asked != 0 {
			t.Errorf("asked again %d times", asked)
		}
		time.Sleep(markerTime)
		if err := b.store.Remove(t.Context(), "B/.ignore"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Stat(t.Context(), "B"); err != nil {
			t.Errorf("a marker that is gone still hides: %v", err)
		}
	})
}

// What cannot be found out is neither there nor missing.
func TestAnUnreachableRemoteIsNoMarker(t *testing.T) {
	b := newBehind(t, Options{ExcludeIfPresent: []string{".ignore"}}, "dir/ dir/f")
	down := errors.New("down")
	b.calls.Inject(faulty.Fault{Op: faulty.Stat, Name: "dir/.ignore", Err: down, Times: -1})
	_, statErr := b.Stat(t.Context(), "dir/f")
	for op, err := range map[string]error{"stat": statErr, "list": firstError(b.List(t.Context(), "."))} {
		if !errors.Is(err, down) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", op, err)
		}
	}
}

func firstError(seq func(func(remote.Entry, error) bool)) (first error) {
	for _, err := range seq {
		first = err
	}
	return first
}
