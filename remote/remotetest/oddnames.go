package remotetest

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"ferry/remote"
)

// RunOddNames checks that a driver for an object store makes names of keys that are no paths where
// it is to. fill is that of RunBuckets.
func RunOddNames(t *testing.T, fill func(t *testing.T, objects map[string]string, markers bool) Bucket) {
	for _, c := range oddNameTests() {
		for _, markers := range []bool{true, false} {
			mode := "with markers"
			if !markers {
				mode = "without markers"
			}
			t.Run(c.name+" "+mode, func(t *testing.T) {
				b := &bucket{T: t, Bucket: fill(t, c.objects, markers), markers: markers, ctx: t.Context()}
				b.Open = b.OpenOdd
				b.again()
				c.run(b)
			})
		}
	}
}

// reads checks the content of a file.
func (b *bucket) reads(name, want string) {
	b.Helper()
	rc, err := b.r.Open(b.ctx, name, 0, -1)
	if err != nil {
		b.Errorf("Open(%s): %v", name, err)
		return
	}
	got, err := io.ReadAll(rc)
	if err = errors.Join(err, rc.Close()); err != nil || string(got) != want {
		b.Errorf("%s holds %q, %v, want %q", name, got, err, want)
	}
}

// is checks that name is a file.
func (b *bucket) isFile(name string) {
	b.Helper()
	if e, err := b.r.Stat(b.ctx, name); err != nil || e.Dir || e.Name != name[strings.LastIndexByte(name, '/')+1:] {
		b.Errorf("Stat(%s): %+v, %v, want a file", name, e, err)
	}
}

func oddNameTests() []bucketTest {
	return slices.Concat(oddListings(), oddChanges(), oddDirs())
}

func oddListings() []bucketTest {
	return []bucketTest{
		{"each key has a name", map[string]string{
			"2026/1//k": "1", "a//b//c.txt": "2", "a/./x": "3", "a/../y": "4", "ok": "5", "odd=x=": "6", "odd=x": "7", "l/odd=..=": "8",
		}, func(b *bucket) {
			for dir, want := range map[string][]string{
				".": {"2026/", "a/", "l/", "odd=odd=x==", "odd=x", "ok"}, "2026/1": {"odd==/"}, "2026/1/odd==": {"k"},
				"a": {"odd=..=/", "odd=.=/", "odd==/"}, "a/odd==": {"b/"}, "a/odd==/b": {"odd==/"}, "l": {"odd=odd=..=="},
			} {
				b.shows(dir, want...)
				if _, omitted, err := ListOmitting(b.ctx, b.r, dir); err != nil || len(omitted) > 0 {
					b.Errorf("%s is listed without %q, %v", dir, omitted, err)
				}
				if dir != "." {
					b.isDir(dir)
				}
			}
			for name, content := range map[string]string{
				"2026/1/odd==/k": "1", "a/odd==/b/odd==/c.txt": "2", "a/odd=.=/x": "3", "a/odd=..=/y": "4", "odd=odd=x==": "6", "odd=x": "7",
				"l/odd=odd=..==": "8",
			} {
				b.isFile(name)
				b.reads(name, content)
			}
		}},
		{"what has no key is not there", map[string]string{"a//k": "x", "b/k": "x"}, func(b *bucket) {
			for _, name := range []string{"b/odd==", "b/odd==/k", "odd==/k", "a/odd=.=/k", "a/odd==/odd=..="} {
				_, err := b.r.Stat(b.ctx, name)
				b.fails("Stat "+name, err, remote.ErrNotExist)
				b.fails("Remove "+name, b.r.Remove(b.ctx, name), remote.ErrNotExist)
			}
			b.fails("Remove", b.r.Remove(b.ctx, "a/odd=="), remote.ErrIsDir)
			b.holds("a//k", "b/k")
		}},
	}
}

func oddChanges() []bucketTest {
	all := []bucketTest{
		{"a file with an odd key is replaced", map[string]string{"a//b//c.txt": "x", "a/../y": "x"}, func(b *bucket) {
			b.ok(b.put("a/odd==/b/odd==/c.txt"))
			b.ok(b.put("a/odd=..=/y"))
			b.ok(b.stage("a/odd=..=/z", remote.BaseEmpty))
			b.holds("a/../y", "a/../z", "a//b//c.txt")
			b.reads("a/odd==/b/odd==/c.txt", "new")
			b.reads("a/odd=..=/y", "new")
		}},
		{"a file with an odd key is renamed", map[string]string{"a//k": "x", "a/.": "y", "d/f": "x"}, func(b *bucket) {
			b.ok(remote.Move(b.ctx, b.r, "a/odd=.=", "d/dot"))
			b.ok(remote.Move(b.ctx, b.r, "a/odd==/k", "d/odd=..="))
			b.marked("a//", "d/..", "d/dot", "d/f")
			b.reads("d/dot", "y")
			b.ok(remote.Move(b.ctx, b.r, "d/odd=..=", "d/odd==/k"))
			b.marked("a//", "d//k", "d/dot", "d/f")
			b.shows("d", "dot", "f", "odd==/")
		}},
		{"a directory of odd keys is removed", map[string]string{"only//1": "x", "only//2": "x", "only/./3": "x", "f": "x"}, func(b *bucket) {
			b.fails("Rmdir", b.r.Rmdir(b.ctx, "only"), remote.ErrNotEmpty)
			b.ok(b.r.Remove(b.ctx, "only/odd==/1"))
			b.ok(b.r.Remove(b.ctx, "only/odd==/2"))
			b.ok(b.r.Remove(b.ctx, "only/odd=.=/3"))
			b.shows("only", "odd=.=/", "odd==/")
			b.ok(b.r.Rmdir(b.ctx, "only/odd=="))
			b.ok(b.r.Rmdir(b.ctx, "only/odd=.="))
			b.isDir("only")
			b.ok(b.r.Rmdir(b.ctx, "only"))
			b.holds("f")
		}},
	}
	for _, d := range doors() {
		all = append(all, bucketTest{"nothing is stored under another name by " + d.name, map[string]string{
			"file": "x", "tree/f": "x", "d/": "",
		}, func(b *bucket) {
			for _, name := range []string{"odd=x=", "d/odd=a b="} {
				b.fails(name, d.make(b, name), remote.ErrBadName)
			}
			if !strings.HasPrefix(d.name, "M") || d.name == "Move" { // a directory can be called so
				for _, name := range []string{"odd==", "d/odd=="} {
					b.fails(name, d.make(b, name), remote.ErrBadName)
				}
			}
			b.holds("d/", "file", "tree/f")
		}})
	}
	return all
}

func oddDirs() []bucketTest {
	return []bucketTest{
		{"a directory without a name of its own is made and removed", map[string]string{"d/": "", "d/f": "x"}, func(b *bucket) {
			b.ok(b.r.Mkdir(b.ctx, "d/odd=="))
			if b.markers {
				b.holds("d/", "d//", "d/f")
			}
			b.isDir("d/odd==")
			b.shows("d", "f", "odd==/")
			b.shows("d/odd==")
			b.ok(b.put("d/odd==/odd==/x"))
			b.fails("Rmdir", b.r.Rmdir(b.ctx, "d/odd=="), remote.ErrNotEmpty)
			b.ok(b.r.Remove(b.ctx, "d/odd==/odd==/x"))
			b.ok(b.r.Rmdir(b.ctx, "d/odd==/odd=="))
			b.ok(b.r.Rmdir(b.ctx, "d/odd=="))
			b.shows("d", "f")
			if !slices.Contains(b.Keys(), "d/f") {
				b.Errorf("only %q are left", b.Keys())
			}
		}},
		{"a directory without a name of its own leaves that above as it is", map[string]string{"m/": "", "m//k": "x"}, func(b *bucket) {
			b.ok(b.r.Remove(b.ctx, "m/odd==/k"))
			b.ok(b.r.Rmdir(b.ctx, "m/odd=="))
			b.holds("m/")
			b.isDir("m")
		}},
		{"a directory without a name of its own is renamed", map[string]string{"m/": "", "m//k": "x", "m//d/k": "x", "n/f": "x"}, func(b *bucket) {
			b.fails("Move below itself", remote.Move(b.ctx, b.r, "m/odd==", "m/odd==/x"), remote.ErrInvalid)
			b.ok(remote.Move(b.ctx, b.r, "m/odd==", "m/e"))
			b.holds("m/", "m/e/d/k", "m/e/k", "n/f")
			b.ok(remote.Move(b.ctx, b.r, "m/e", "n/odd=="))
			b.holds("m/", "n//d/k", "n//k", "n/f")
			b.ok(remote.Move(b.ctx, b.r, "n", "o"))
			b.holds("m/", "o//d/k", "o//k", "o/f")
		}},
		{"a marker with a content is not removed", map[string]string{"a//": "ten bytes."}, func(b *bucket) {
			b.fails("Rmdir", b.r.Rmdir(b.ctx, "a/odd=="), remote.ErrNotEmpty)
			b.holds("a//")
		}},
		{"what begins with a slash", map[string]string{"/lead.txt": "x", "/d/f": "x", "f": "x"}, func(b *bucket) {
			names, _, err := ListOmitting(b.ctx, b.r, ".")
			if b.ok(err); slices.Contains(names, "lead.txt") {
				return // the service leaves the slash out
			}
			b.shows(".", "f", "odd==/")
			b.shows("odd==", "d/", "lead.txt")
			b.isDir("odd==")
			b.reads("odd==/lead.txt", "x")
			b.fails("Rmdir", b.r.Rmdir(b.ctx, "odd=="), remote.ErrNotEmpty)
			b.fails("Move below itself", remote.Move(b.ctx, b.r, "odd==", "odd==/d/e"), remote.ErrInvalid)
			b.ok(remote.Move(b.ctx, b.r, "odd==", "e"))
			b.holds("e/d/f", "e/lead.txt", "f")
			b.ok(remote.Move(b.ctx, b.r, "e/d", "odd=="))
			b.holds("/f", "e/lead.txt", "f")
			b.ok(b.put("odd==/f"))
			b.ok(b.r.Remove(b.ctx, "odd==/f"))
			b.isDir("odd==")
			b.ok(b.r.Rmdir(b.ctx, "odd=="))
			b.holds("e/lead.txt", "f")
			b.shows(".", "e/", "f")
		}},
	}
}
