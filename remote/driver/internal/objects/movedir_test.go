package objects_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/driver/internal/objects/objectstest"
	"ferry/remote/nameenc"
)

// A moody store is one in which something happens before a request is carried out. It can refuse
// the request.
type moody struct {
	*objectstest.Flat
	mu     sync.Mutex
	before func(op string, k objects.Key) error // guarded by mu, which is held while it runs
}

func (m *moody) happens(op string, k objects.Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.before == nil {
		return nil
	}
	return m.before(op, k)
}

func (m *moody) Copy(ctx context.Context, from objects.Key, known objects.Object, to objects.Key) (string, error) {
	if err := m.happens("copy", from); err != nil {
		return "", err
	}
	return m.Flat.Copy(ctx, from, known, to)
}

func (m *moody) Delete(ctx context.Context, k objects.Key, version string) error {
	if err := m.happens("delete", k); err != nil {
		return err
	}
	return m.Flat.Delete(ctx, k, version)
}

// newMoody returns a store with a directory d of many files, and some things beside it.
func newMoody(before func(op string, k objects.Key) error) *moody {
	m := &moody{Flat: objectstest.NewFlat("b"), before: before}
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for i := range 60 {
		m.Set("b", fmt.Sprintf("d/%02d/f", i%20)+strings.Repeat("x", i), fmt.Sprint(i), when)
	}
	for _, key := range []string{"d/", "d/empty/", "d-1", "d.txt", "other/f"} {
		m.Set("b", key, "", when)
	}
	return m
}

// moved is what becomes of contents when d is called e.
func moved(contents map[string]string) map[string]string {
	all := map[string]string{}
	for key, content := range contents {
		if rest, ok := strings.CutPrefix(key, "d/"); ok {
			key = "e/" + rest
		}
		all[key] = content
	}
	return all
}

func treeOf(s objects.Store, limit int) *objects.Tree {
	return objects.New(s, objects.Config{
		Name: "moody", Root: "b", Names: objects.Names{Encoding: nameenc.Slash}, Holds: func(objects.Key) bool { return true }, DirMoveLimit: limit,
	})
}

var errWay = errors.New("failed on the way")

func TestADirectoryMovesOrStays(t *testing.T) {
	gone := func(op string, n int, err error) func(string, objects.Key) error { // the n-th request and those after it fail
		return func(got string, _ objects.Key) error {
			if got == op {
				n--
			}
			if got == op && n < 0 {
				return err
			}
			return nil
		}
	}
	once := func(op string, err error) func(string, objects.Key) error { // each request fails at first
		seen := map[objects.Key]bool{}
		return func(got string, k objects.Key) error {
			if got != op || seen[k] {
				return nil
			}
			seen[k] = true
			return err
		}
	}
	tests := []struct {
		name   string
		limit  int
		before func(op string, k objects.Key) error
		want   error
	}{
		{"everything works", 0, nil, nil},
		{"every copy fails once", 0, once("copy", errWay), nil},
		{"every removal fails once", 0, once("delete", errWay), nil},
		{"a copy is refused", 0, gone("copy", 30, remote.ErrQuota), remote.ErrQuota},
		{"the way is broken", 0, gone("copy", 30, errWay), errWay},
		{"there are as many as may be", 62, nil, nil},
		{"there are too many", 61, nil, remote.ErrPermission},
		{"any number may be", -1, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMoody(tt.before)
				want := m.Contents("b")
				if tt.want == nil {
					want = moved(want)
				}
				if err := treeOf(m, tt.limit).Move(t.Context(), "d", "e"); !errors.Is(err, tt.want) {
					t.Errorf("Move: %v", err)
				}
				if got := m.Contents("b"); !maps.Equal(got, want) {
					t.Errorf("the store holds %q", got)
				}
			})
		})
	}
}

func TestADirectoryThatIsCopiedButNotRemoved(t *testing.T) {
	m := newMoody(func(op string, k objects.Key) error {
		if op == "delete" && strings.HasPrefix(k.Name, "d/07/") {
			return remote.ErrPermission
		}
		return nil
	})
	before := m.Contents("b")
	err := treeOf(m, 0).Move(t.Context(), "d", "e")
	if !errors.Is(err, remote.ErrExist) || !errors.Is(err, remote.ErrPermission) {
		t.Errorf("Move: %v", err)
	}
	var h interface{ Hint() string }
	if !errors.As(err, &h) || !strings.Contains(h.Hint(), "delete what is left") {
		t.Errorf("there is no advice in %v", err)
	}
	now := m.Contents("b")
	for key, content := range moved(before) {
		if got, ok := now[key]; !ok || got != content {
			t.Errorf("%s holds %q", key, got)
		}
	}
}

func TestTooManyObjectsAreToldWithTheirLimit(t *testing.T) {
	m := newMoody(nil)
	err := treeOf(m, 10).Move(t.Context(), "d", "e")
	var h interface{ Hint() string }
	if !errors.As(err, &h) || !strings.Contains(h.Hint(), "more than 10 files") || !strings.Contains(err.Error(), "dir_move_limit") {
		t.Errorf("%v", err)
	}
}

// What others do in a directory while it moves is not lost.
func TestADirectoryThatChangesWhileItMoves(t *testing.T) {
	var m *moody
	changed := false
	m = newMoody(func(op string, k objects.Key) error {
		if op == "copy" && strings.HasPrefix(k.Name, "d/05/") && !changed {
			changed = true
			now := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
			m.Set("b", "d/00/f", "newer", now)
			m.Set("b", "d/19/f"+strings.Repeat("x", 19), "newer too", now)
			m.Set("b", "d/new/file", "new", now)
			return m.Flat.Delete(context.Background(), objects.Key{Bucket: "b", Name: "d/01/fx"}, "")
		}
		return nil
	})
	if err := treeOf(m, 0).Move(t.Context(), "d", "e"); err != nil {
		t.Fatal(err)
	}
	now := m.Contents("b")
	for key, want := range map[string]string{
		"e/00/f": "newer", "e/19/f" + strings.Repeat("x", 19): "newer too", "e/new/file": "new", "e/02/fxx": "2",
	} {
		if now[key] != want {
			t.Errorf("%s holds %q", key, now[key])
		}
	}
	for key := range now {
		if strings.HasPrefix(key, "d/") || key == "e/01/fx" {
			t.Errorf("there is %s", key)
		}
	}
}

// What comes behind the copy stays where it was stored, at whatever request it comes.
func TestWhatIsStoredWhileTheOriginalsAreRemovedStays(t *testing.T) {
	for _, at := range []string{"d/00/f", "d/07/fxxxxxxx", "d/19/f" + strings.Repeat("x", 19)} {
		var m *moody
		removing := false
		m = newMoody(func(op string, k objects.Key) error {
			if op == "delete" && !removing {
				removing = true
				m.Set("b", at, "later", time.Unix(1e9, 0))
				m.Set("b", "d/new", "new", time.Unix(1e9, 0))
			}
			return nil
		})
		before := m.Contents("b")
		if err := treeOf(m, 0).Move(t.Context(), "d", "e"); err != nil {
			t.Fatal(err)
		}
		want := moved(before)
		want[at], want["d/new"] = "later", "new"
		if got := m.Contents("b"); !maps.Equal(got, want) {
			t.Errorf("%s: the store holds %q", at, got)
		}
	}
}

func TestAFileThatIsReplacedWhileItMoves(t *testing.T) {
	for _, at := range []string{"copy", "delete"} {
		t.Run(at, func(t *testing.T) {
			var m *moody
			happened := false
			m = newMoody(func(op string, _ objects.Key) error {
				if op == at && !happened {
					happened = true
					m.Set("b", "x", "later", time.Unix(1e9, 0))
				}
				return nil
			})
			m.Set("b", "x", "first", time.Unix(1e8, 0))
			if err := treeOf(m, 0).Move(t.Context(), "x", "y"); err != nil {
				t.Fatal(err)
			}
			got := m.Contents("b")
			if at == "copy" { // the rename takes the newer one along
				if _, left := got["x"]; left || got["y"] != "later" {
					t.Errorf("y holds %q", got["y"])
				}
			} else if got["x"] != "later" || got["y"] != "first" {
				t.Errorf("x holds %q, y holds %q", got["x"], got["y"])
			}
		})
	}
}

func TestADirectoryThatNeverRestsStays(t *testing.T) {
	var m *moody
	n := 0
	m = newMoody(func(op string, k objects.Key) error {
		if op == "copy" {
			n++
			m.Set("b", "d/log", fmt.Sprint(n), time.Unix(int64(n), 0))
		}
		return nil
	})
	if err := treeOf(m, 0).Move(t.Context(), "d", "e"); !errors.Is(err, remote.ErrChanged) {
		t.Errorf("Move: %v", err)
	}
	for _, key := range m.Keys("b") {
		if strings.HasPrefix(key, "e/") {
			t.Errorf("the copy %s is left", key)
		}
	}
	if got := m.Contents("b")["d/log"]; got != fmt.Sprint(n) {
		t.Errorf("the last of %d contents is %q", n, got)
	}
}

func TestMovingADirectoryEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the client is gone")
	copies := 0
	m := newMoody(func(op string, _ objects.Key) error {
		if copies++; op == "copy" && copies == 20 {
			cancel(cause)
		}
		return nil
	})
	before := m.Contents("b")
	if err := treeOf(m, 0).Move(ctx, "d", "e"); !errors.Is(err, cause) {
		t.Errorf("Move: %v", err)
	}
	if got := m.Contents("b"); !maps.Equal(got, before) {
		t.Errorf("the store holds %q", got)
	}
}

// Unfinished uploads stay out of the new directory, as they would out of any.
func TestUnfinishedUploadsDoNotMove(t *testing.T) {
	f := objectstest.NewFlat("b")
	now := time.Now()
	for _, key := range []string{"d/f", "d/.ferry-part.1.put.f", "d/sub/.ferry-part.2.put.g"} {
		f.Set("b", key, "x", now)
	}
	if err := treeOf(f, 0).Move(t.Context(), "d", "e"); err != nil {
		t.Fatal(err)
	}
	if got := f.Keys("b"); !slices.Equal(got, []string{"e/f"}) {
		t.Errorf("there are %q", got)
	}
}

// Objects without a slash at the end may stand for directories, too.
func TestDirectoriesByConventionMove(t *testing.T) {
	f := objectstest.NewFlat("b")
	f.SetDir("b", "d")
	f.SetDir("b", "d/sub")
	f.Set("b", "d/sub/f", "x", time.Now())
	f.SetDir("b", "lone")
	tree := treeOf(f, 0)
	if err := errors.Join(tree.Move(t.Context(), "d", "e"), tree.Move(t.Context(), "lone", "still")); err != nil {
		t.Fatal(err)
	}
	if got := f.Keys("b"); !slices.Equal(got, []string{"e/", "e/sub/", "e/sub/f", "still/"}) {
		t.Errorf("there are %q", got)
	}
}

// A distant store takes a while for each request, and is not there for too many at once.
type distant struct {
	*objectstest.Flat
	takes time.Duration
	most  int // requests that it takes at once; 0 = any number

	mu      sync.Mutex
	busy    int // guarded by mu
	widest  int // guarded by mu
	refused int // guarded by mu
}

func (d *distant) request(ctx context.Context) (end func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy++
	d.widest = max(d.widest, d.busy)
	refuse := d.most > 0 && d.busy > d.most
	d.mu.Unlock()
	time.Sleep(d.takes)
	d.mu.Lock()
	if refuse {
		d.busy--
		d.refused++
		return nil, errors.New("slow down")
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.busy--
	}, ctx.Err()
}

func (d *distant) Copy(ctx context.Context, from objects.Key, known objects.Object, to objects.Key) (string, error) {
	end, err := d.request(ctx)
	if err != nil {
		return "", err
	}
	defer end()
	return d.Flat.Copy(ctx, from, known, to)
}

func (d *distant) Delete(ctx context.Context, k objects.Key, version string) error {
	end, err := d.request(ctx)
	if err != nil {
		return err
	}
	defer end()
	return d.Flat.Delete(ctx, k, version)
}

// A directory of a thousand objects takes about as many round trips as 96 requests at a time need.
// A store that refuses some of them gets fewer.
func TestManyObjectsMoveAtATime(t *testing.T) {
	for _, most := range []int{0, 24} {
		synctest.Test(t, func(t *testing.T) {
			d := &distant{Flat: objectstest.NewFlat("b"), takes: 30 * time.Millisecond, most: most}
			for i := range 1000 {
				d.Set("b", fmt.Sprintf("d/%04d", i), "x", time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC))
			}
			tree := treeOf(d, 0)
			began := time.Now()
			if err := tree.Move(t.Context(), "d", "e"); err != nil {
				t.Fatal(err)
			}
			took := time.Since(began)
			if got := d.Contents("b"); len(got) != 1000 || got["e/0999"] != "x" {
				t.Errorf("%d objects", len(got))
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			t.Logf("it took %v, %d at once, %d refused", took, d.widest, d.refused)
			switch {
			case d.widest > 96:
				t.Errorf("%d requests at once", d.widest)
			case most == 0 && took > 900*time.Millisecond:
				t.Errorf("it took %v", took)
			case most > 0 && (d.refused == 0 || d.refused > 500):
				t.Errorf("%d of 2,000 requests were refused", d.refused)
			}
		})
	}
}

func TestBucketsDoNotMove(t *testing.T) {
	f := objectstest.NewFlat("one", "two")
	f.Set("one", "d/f", "x", time.Now())
	tree := newTree(f, "")
	for from, to := range map[string]string{"one": "three", "one/d": "three"} {
		if err := tree.Move(t.Context(), from, to); !errors.Is(err, remote.ErrUnsupported) {
			t.Errorf("Move(%s, %s): %v", from, to, err)
		}
	}
	if err := tree.Move(t.Context(), "one/d", "missing/d"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("into a bucket that is not there: %v", err)
	}
	if err := tree.Move(t.Context(), "one/d", "two/e"); err != nil {
		t.Fatal(err)
	}
	if one, two := f.Keys("one"), f.Keys("two"); len(one) != 0 || !slices.Equal(two, []string{"e/f"}) {
		t.Errorf("there are %q and %q", one, two)
	}
}
