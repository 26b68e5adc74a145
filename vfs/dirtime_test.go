package vfs

import (
	"context"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/writeback"
)

// An untimed remote knows no times of directories, as object stores do not.
type untimed struct{ remote.Forward }

func (u untimed) Info() remote.Info {
	info := u.Forward.Info()
	info.Caps.CheapStat, info.Caps.ImplicitDirs = false, true
	return info
}

func (u untimed) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := u.Forward.Stat(ctx, name)
	return without(e), err
}

func (u untimed) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		for e, err := range u.Forward.List(ctx, dir) {
			if !yield(without(e), err) {
				return
			}
		}
	}
}

func without(e remote.Entry) remote.Entry {
	if e.Dir {
		e.ModTime = time.Time{}
	}
	return e
}

// timesOf returns what a listing shows of dir/name: the time that is known, and the one for LIST.
func timesOf(t *testing.T, v *View, dir, name string) (known, shown time.Time) {
	t.Helper()
	for fi, err := range v.List(t.Context(), dir) {
		if err != nil {
			t.Fatal(err)
		}
		if fi.Name() == name {
			known, shown = fi.ModTime(), fi.(*Info).ListTime()
		}
	}
	return known, shown // of the whole listing, which is remembered
}

func TestADirectoryWithoutATimeShowsTheNewestBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := memory.New()
		old := time.Now().Add(-1000 * time.Hour)
		for i, name := range []string{"d/a", "d/b", "d/e/f/c", "other/x"} {
			dir := ""
			for elem := range strings.SplitSeq(name[:strings.LastIndexByte(name, '/')], "/") {
				dir = strings.TrimPrefix(dir+"/"+elem, "/")
				_ = inner.Mkdir(t.Context(), dir)
			}
			o := remote.PutOptions{ModTime: old.Add(time.Duration(i) * time.Hour)}
			if _, err := inner.Put(t.Context(), name, strings.NewReader("x"), o); err != nil {
				t.Fatal(err)
			}
		}
		fs := New(untimed{remote.Forward{Remote: inner}}, Options{DirCacheTime: 5 * time.Minute})
		defer fs.Close()
		began := time.Now()
		time.Sleep(time.Hour)
		v := fs.View("bob")
		expect := func(what, dir, name string, want time.Time) {
			t.Helper()
			if known, shown := timesOf(t, v, dir, name); !known.IsZero() || !shown.Equal(want) {
				t.Errorf("%s: %v is known, %v is shown, want %v", what, known, shown, want)
			}
		}
		expect("of which nothing is known", ".", "d", began)
		_, _ = timesOf(t, v, "d", "a")
		expect("listed", ".", "d", old.Add(time.Hour))
		expect("below it, of which nothing is known", "d", "e", began)
		_, _ = timesOf(t, v, "d/e", "f")
		_, _ = timesOf(t, v, "d/e/f", "c")
		expect("with what is deeper", ".", "d", old.Add(2*time.Hour))
		expect("in the middle", "d", "e", old.Add(2*time.Hour))
		time.Sleep(10 * time.Minute) // what is remembered is old, and is listed from above again
		_, _ = timesOf(t, v, ".", "other")
		_, _ = timesOf(t, v, "d", "a")
		expect("listed anew", ".", "d", old.Add(2*time.Hour))
		if err := v.Mkdir(t.Context(), "d/e/new"); err != nil {
			t.Fatal(err)
		}
		expect("in which one was made", "d", "e", time.Now())
		expect("made, and nothing is in it", "d/e", "new", began)
		expect("above", ".", "d", time.Now())
		expect("beside it", ".", "other", began)
		info, err := v.Stat(t.Context(), "d")
		if err != nil || !info.ModTime().IsZero() || !info.(*Info).ListTime().Equal(time.Now()) {
			t.Errorf("Stat: %v, %v", info, err)
		}
	})
}

func TestWithoutModificationTimesNoneIsShown(t *testing.T) {
	inner := memory.New()
	if err := inner.Mkdir(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	fs := New(untimed{remote.Forward{Remote: inner}}, Options{DirCacheTime: time.Minute, NoModTime: true})
	defer fs.Close()
	if known, shown := timesOf(t, fs.View("bob"), ".", "d"); !known.IsZero() || !shown.IsZero() {
		t.Errorf("%v, %v", known, shown)
	}
}

// What is stored or made here is below its directory at once, and with a cache before it is sent.
func TestWhatIsStoredIsTheNewestBelow(t *testing.T) {
	for _, cached := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newRigAt(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour}, &rig{
				disk: disktest.New(), off: !cached,
				far: func(r *memory.Remote) remote.Remote {
					_ = r.Mkdir(t.Context(), "d")
					_ = r.Mkdir(t.Context(), "d/e")
					_ = r.Mkdir(t.Context(), "other")
					return untimed{remote.Forward{Remote: r}}
				},
			})
			for _, dir := range []string{".", "d", "d/e", "other"} {
				_, _ = timesOf(t, b.View, dir, "")
			}
			for i, change := range []func(){
				func() { b.upload("d/e/f", "content") },
				func() { b.ok(b.Mkdir(t.Context(), "d/e/new")) },
			} {
				time.Sleep(time.Minute)
				change()
				for _, dir := range []string{"d", "d/e"} {
					parent, base := remote.Split(dir)
					if known, shown := timesOf(t, b.View, parent, base); !known.IsZero() || !shown.Equal(time.Now()) {
						t.Errorf("cached %v, change %d: of %s %v is known, %v is shown, want %v", cached, i, dir, known, shown, time.Now())
					}
				}
				if known, _ := timesOf(t, b.View, "d/e", "new"); !known.IsZero() {
					t.Errorf("cached %v: %v is known of a directory that was made", cached, known)
				}
			}
			if cached {
				return
			}
			stored := time.Now().Add(-time.Minute)
			b.ok(b.Rename(t.Context(), "d/e/f", "other/f"))
			if _, shown := timesOf(t, b.View, ".", "other"); !shown.Equal(stored) {
				t.Errorf("with what was renamed into it %v is shown, want %v", shown, stored)
			}
		})
	}
}
