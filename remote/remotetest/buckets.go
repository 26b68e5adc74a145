package remotetest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/remote"
)

// A Bucket is what an object store holds, as data.
type Bucket struct {
	// Open opens what the bucket holds as another process would: it remembers nothing.
	Open func() remote.Remote
	// OpenOdd is Open of a remote that escapes the names of odd keys.
	OpenOdd func() remote.Remote
	// Keys returns the keys of all objects, sorted.
	Keys func() []string
}

// RunBuckets checks what a driver for an object store makes of objects that other programs have
// stored, and that a directory lives until it is removed. fill makes a bucket of objects, contents
// by key, for remotes that store markers or do not.
func RunBuckets(t *testing.T, fill func(t *testing.T, objects map[string]string, markers bool) Bucket) {
	for _, c := range bucketTests() {
		for _, markers := range []bool{true, false} {
			mode := "with markers"
			if !markers {
				mode = "without markers"
			}
			t.Run(c.name+" "+mode, func(t *testing.T) {
				b := &bucket{T: t, Bucket: fill(t, c.objects, markers), markers: markers}
				b.ctx = remote.WithLog(t.Context(), slog.New(slog.NewTextHandler(&b.log, nil)))
				b.again()
				c.run(b)
			})
		}
	}
}

type bucketTest struct {
	name    string
	objects map[string]string
	run     func(b *bucket)
}

// bucket is a bucket under test.
type bucket struct {
	*testing.T
	Bucket
	markers bool
	ctx     context.Context
	r       remote.Remote
	log     Log
}

// again opens the bucket anew.
func (b *bucket) again() {
	b.Helper()
	b.r = b.Open()
	b.Cleanup(func() { _ = b.r.Close() })
}

func (b *bucket) ok(err error) {
	b.Helper()
	if err != nil {
		b.Error(err)
	}
}

func (b *bucket) fails(what string, err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func (b *bucket) put(name string) error {
	_, err := b.r.Put(b.ctx, name, strings.NewReader("new"), remote.PutOptions{})
	return err
}

// shows checks what is listed in dir; directories end in a slash.
func (b *bucket) shows(dir string, want ...string) {
	b.Helper()
	got := []string{}
	for e, err := range b.r.List(b.ctx, dir) {
		if err != nil {
			b.Errorf("List(%s): %v", dir, err)
			return
		}
		if e.Dir {
			e.Name += "/"
		}
		got = append(got, e.Name)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		b.Errorf("List(%s): %q, want %q", dir, got, want)
	}
}

func (b *bucket) isDir(name string) {
	b.Helper()
	if e, err := b.r.Stat(b.ctx, name); err != nil || !e.Dir {
		b.Errorf("Stat(%s): %+v, %v, want a directory", name, e, err)
	}
}

func (b *bucket) holds(keys ...string) {
	b.Helper()
	if got := b.Keys(); !slices.Equal(got, keys) {
		b.Errorf("the bucket holds %q, want %q", got, keys)
	}
}

// marked is holds for a bucket that has markers, where there are any.
func (b *bucket) marked(keys ...string) {
	b.Helper()
	if !b.markers {
		keys = slices.DeleteFunc(keys, func(k string) bool { return strings.HasSuffix(k, "/") })
	}
	b.holds(keys...)
}

func (b *bucket) stage(name string, base remote.Base) error {
	st, ok := remote.AsStager(b.r)
	if !ok {
		return errors.ErrUnsupported
	}
	s, err := st.Stage(b.ctx, name, remote.StageOptions{Owner: "alice", Base: base})
	if err != nil {
		return err
	}
	_, err = s.Commit(b.ctx, time.Time{})
	return err
}

// A door is a way to make something called name.
type door struct {
	name string
	make func(b *bucket, name string) error
}

// doors need a file called "file" and a directory called "tree".
func doors() []door {
	return []door{
		{"Put", func(b *bucket, name string) error { return b.put(name) }},
		{"Stage", func(b *bucket, name string) error { return b.stage(name, remote.BaseEmpty) }},
		{"Mkdir", func(b *bucket, name string) error { return b.r.Mkdir(b.ctx, name) }},
		{"Move", func(b *bucket, name string) error { return remote.Move(b.ctx, b.r, "file", name) }},
		{"Move of a directory", func(b *bucket, name string) error { return remote.Move(b.ctx, b.r, "tree", name) }},
		{"Copy", func(b *bucket, name string) error { return b.r.(remote.Copier).Copy(b.ctx, "file", name) }},
	}
}

func bucketTests() []bucketTest {
	return slices.Concat(emptiedTests(), belowFileTests(), hidingTests())
}

func emptiedTests() []bucketTest {
	inbox := map[string]string{"inbox/one.pdf": "x"}
	stays := func(b *bucket) {
		b.Helper()
		b.isDir("inbox")
		b.shows("inbox")
		b.ok(b.r.Rmdir(b.ctx, "inbox"))
		_, err := b.r.Stat(b.ctx, "inbox")
		b.fails("Stat after Rmdir", err, remote.ErrNotExist)
	}
	return []bucketTest{
		{"a directory has no time", map[string]string{"d/e/f": "x"}, func(b *bucket) {
			b.ok(b.r.Mkdir(b.ctx, "made"))
			for _, dir := range []string{".", "d"} {
				for e, err := range b.r.List(b.ctx, dir) {
					b.ok(err)
					stat, err := b.r.Stat(b.ctx, remote.Join(dir, e.Name))
					b.ok(err)
					if !e.Dir || !e.ModTime.IsZero() || !stat.ModTime.IsZero() {
						b.Errorf("%+v, Stat says %+v", e, stat)
					}
				}
			}
		}},
		{"a directory stays when its last file is removed", inbox, func(b *bucket) {
			b.ok(b.r.Remove(b.ctx, "inbox/one.pdf"))
			b.marked("inbox/")
			b.shows(".", "inbox/")
			stays(b)
			b.holds()
		}},
		{"a marker is seen by the next process", inbox, func(b *bucket) {
			b.ok(b.r.Remove(b.ctx, "inbox/one.pdf"))
			if b.again(); b.markers {
				stays(b)
			}
		}},
		{"a directory stays when its last file is removed by its version", inbox, func(b *bucket) {
			e, err := b.r.Stat(b.ctx, "inbox/one.pdf")
			b.ok(err)
			b.ok(remote.RemoveVersion(b.ctx, b.r, "inbox/one.pdf", e))
			stays(b)
		}},
		{"a directory stays when its last file is renamed", inbox, func(b *bucket) {
			b.ok(remote.Move(b.ctx, b.r, "inbox/one.pdf", "one.pdf"))
			b.marked("inbox/", "one.pdf")
			stays(b)
		}},
		{"a file that is renamed in its directory leaves no marker", inbox, func(b *bucket) {
			b.ok(remote.Move(b.ctx, b.r, "inbox/one.pdf", "inbox/two.pdf"))
			b.holds("inbox/two.pdf")
		}},
		{"a directory stays when its last directory is renamed", map[string]string{"inbox/d/f": "x"}, func(b *bucket) {
			b.ok(remote.Move(b.ctx, b.r, "inbox/d", "d"))
			b.marked("d/f", "inbox/")
			stays(b)
		}},
		{"a tree is removed from below", map[string]string{"a/b/c/f": "x", "a/b/c/g": "x"}, func(b *bucket) {
			b.ok(b.r.Remove(b.ctx, "a/b/c/f"))
			b.holds("a/b/c/g")
			b.ok(b.r.Remove(b.ctx, "a/b/c/g"))
			b.shows("a/b", "c/")
			b.ok(b.r.Rmdir(b.ctx, "a/b/c"))
			b.shows("a", "b/")
			b.shows("a/b")
			b.ok(b.r.Rmdir(b.ctx, "a/b"))
			b.shows(".", "a/")
			b.ok(b.r.Rmdir(b.ctx, "a"))
			b.shows(".")
			b.holds()
		}},
		{"a directory stays when its last files are removed at once", map[string]string{"inbox/a": "x", "inbox/b": "x"}, func(b *bucket) {
			var both sync.WaitGroup
			for _, name := range []string{"inbox/a", "inbox/b"} {
				both.Go(func() { b.ok(b.r.Remove(b.ctx, name)) })
			}
			both.Wait()
			b.marked("inbox/")
			stays(b)
		}},
		{"the removal of what is not there makes no directory", map[string]string{"f": "x"}, func(b *bucket) {
			b.fails("Remove", b.r.Remove(b.ctx, "none/f"), remote.ErrNotExist)
			b.fails("Rmdir", b.r.Rmdir(b.ctx, "none/d"), remote.ErrNotExist)
			b.holds("f")
			b.shows(".", "f")
		}},
		{"a directory that was made is there until it is removed", nil, func(b *bucket) {
			b.ok(b.r.Mkdir(b.ctx, "a"))
			b.ok(b.r.Mkdir(b.ctx, "a/b"))
			b.fails("Mkdir", b.r.Mkdir(b.ctx, "a/b"), remote.ErrExist)
			b.shows(".", "a/")
			b.shows("a", "b/")
			b.shows("a/b")
			b.fails("Put", b.put("a/b"), remote.ErrIsDir)
			b.fails("Rmdir", b.r.Rmdir(b.ctx, "a"), remote.ErrNotEmpty)
			b.ok(remote.Move(b.ctx, b.r, "a", "c"))
			b.shows(".", "c/")
			b.shows("c", "b/")
			b.ok(b.r.Rmdir(b.ctx, "c/b"))
			b.isDir("c")
			b.ok(b.r.Rmdir(b.ctx, "c"))
			b.shows(".")
		}},
	}
}

func belowFileTests() []bucketTest {
	var all []bucketTest
	for _, d := range doors() {
		all = append(all, bucketTest{
			"nothing comes below a file by " + d.name, map[string]string{"y": "x", "file": "x", "tree/f": "x"}, func(b *bucket) {
				for _, name := range []string{"y/z", "y/a/b", "y/seen"} {
					if b.again(); name == "y/seen" {
						_, err := b.r.Stat(b.ctx, name)
						b.fails("Stat", err, remote.ErrNotExist)
					}
					b.fails(d.name+" "+name, d.make(b, name), remote.ErrNotDir)
					b.holds("file", "tree/f", "y")
				}
			},
		}, bucketTest{
			"nothing comes below a file that was stored by " + d.name, map[string]string{"file": "x", "tree/f": "x"}, func(b *bucket) {
				b.ok(b.put("y"))
				b.fails(d.name, d.make(b, "y/z"), remote.ErrNotDir)
				b.holds("file", "tree/f", "y")
			},
		})
	}
	return all
}

func hidingTests() []bucketTest {
	reports := map[string]string{"reports": "hidden", "reports-1": "x", "reports.csv": "x", "reports/a.csv": "x", "file": "x", "tree/f": "x"}
	all := []bucketTest{
		{"a directory that hides a file can be reached", reports, func(b *bucket) {
			b.shows(".", "file", "reports-1", "reports.csv", "reports/", "tree/")
			b.shows("reports", "a.csv")
			b.isDir("reports")
			if n := strings.Count(b.log.String(), "hidden"); n != 1 || !strings.Contains(b.log.String(), "key=reports ") {
				b.Errorf("the log is told %d times:\n%s", n, b.log.String())
			}
			b.ok(b.put("reports/b.csv"))
			b.shows("reports", "a.csv", "b.csv")
		}},
		{"a file that was hidden is seen when its directory was removed", reports, func(b *bucket) {
			b.ok(b.r.Remove(b.ctx, "reports/a.csv"))
			if b.markers {
				b.isDir("reports")
				b.ok(b.r.Rmdir(b.ctx, "reports"))
			}
			b.shows(".", "file", "reports", "reports-1", "reports.csv", "tree/")
			b.ok(b.r.Remove(b.ctx, "reports"))
		}},
		{"a directory that hides a file is renamed without it", reports, func(b *bucket) {
			b.ok(remote.Move(b.ctx, b.r, "reports", "q"))
			b.holds("file", "q/a.csv", "reports", "reports-1", "reports.csv", "tree/f")
		}},
		{"an empty object is a directory if there is something below it", map[string]string{"docs": "", "docs/a.txt": "x"}, func(b *bucket) {
			b.shows(".", "docs/")
			b.shows("docs", "a.txt")
			b.isDir("docs")
			b.ok(b.put("docs/new.txt"))
			b.shows("docs", "a.txt", "new.txt")
			if b.log.String() != "" {
				b.Errorf("logged: %s", b.log.String())
			}
			b.ok(remote.Move(b.ctx, b.r, "docs", "d"))
			b.shows(".", "d/")
			b.shows("d", "a.txt", "new.txt")
		}},
		{"an empty object goes with its directory", map[string]string{"docs": "", "docs/": "", "docs/a.txt": "x"}, func(b *bucket) {
			b.ok(b.r.Remove(b.ctx, "docs/a.txt"))
			b.ok(b.r.Rmdir(b.ctx, "docs"))
			b.holds()
		}},
		{"a marker with a content is not removed", map[string]string{"dir/": "ten bytes."}, func(b *bucket) {
			err := b.r.Rmdir(b.ctx, "dir")
			b.fails("Rmdir", err, remote.ErrNotEmpty)
			var hint interface{ Hint() string }
			if !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "10 bytes") {
				b.Errorf("the reason is not said: %v", err)
			}
			b.holds("dir/")
		}},
	}
	for what, call := range map[string]func(b *bucket) error{
		"Put":           func(b *bucket) error { return b.put("reports") },
		"Stage":         func(b *bucket) error { return b.stage("reports", remote.BaseEmpty) },
		"Stage of more": func(b *bucket) error { return b.stage("reports", remote.BaseFile) },
		"Move":          func(b *bucket) error { return remote.Move(b.ctx, b.r, "file", "reports") },
		"Copy":          func(b *bucket) error { return b.r.(remote.Copier).Copy(b.ctx, "file", "reports") },
		"Remove":        func(b *bucket) error { return b.r.Remove(b.ctx, "reports") },
		"Open": func(b *bucket) error {
			rc, err := b.r.Open(b.ctx, "reports", 0, -1)
			if err == nil {
				_, _ = io.Copy(io.Discard, rc)
				_ = rc.Close()
			}
			return err
		},
		"Open of nothing": func(b *bucket) error { _, err := b.r.Open(b.ctx, "reports", 0, 0); return err },
	} {
		all = append(all, bucketTest{"a directory that hides a file is none to " + what, reports, func(b *bucket) {
			b.fails(what, call(b), remote.ErrIsDir)
			b.holds("file", "reports", "reports-1", "reports.csv", "reports/a.csv", "tree/f")
		}})
	}
	for what, c := range map[string]struct {
		call func(b *bucket) error
		want error
	}{
		"Rmdir":                             {func(b *bucket) error { return b.r.Rmdir(b.ctx, "reports") }, remote.ErrNotEmpty},
		"Mkdir":                             {func(b *bucket) error { return b.r.Mkdir(b.ctx, "reports") }, remote.ErrExist},
		"a directory that is renamed to it": {func(b *bucket) error { return remote.Move(b.ctx, b.r, "tree", "reports") }, remote.ErrExist},
	} {
		all = append(all, bucketTest{"a directory that hides a file is one to " + what, reports, func(b *bucket) {
			b.fails(what, c.call(b), c.want)
			b.holds("file", "reports", "reports-1", "reports.csv", "reports/a.csv", "tree/f")
		}})
	}
	return all
}
