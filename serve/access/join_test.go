package access

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

// A view of a new tree with files of that content.
func treeOf(t *testing.T, files map[string]string) ftp.FS {
	t.Helper()
	r := memory.New()
	tree := vfs.New(r, vfs.Options{Modes: vfs.Modes{File: 0o644, Dir: 0o755}})
	t.Cleanup(func() { tree.Close() })
	v := tree.View("bob")
	for name, content := range files {
		for i, c := range name {
			if c == '/' {
				if err := v.Mkdir(t.Context(), name[:i]); err != nil && !errors.Is(err, fs.ErrExist) {
					t.Fatal(err)
				}
			}
		}
		store(t, v, name, content)
	}
	return v
}

func store(t *testing.T, f ftp.FS, name, content string) {
	t.Helper()
	u, err := f.Create(t.Context(), name, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(u, content); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func listed(t *testing.T, f ftp.FS, dir string) string {
	t.Helper()
	var names []string
	for info, err := range f.List(t.Context(), dir) {
		if err != nil {
			return err.Error()
		}
		name := info.Name()
		if info.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func content(t *testing.T, f ftp.FS, name string) string {
	t.Helper()
	r, err := f.Open(t.Context(), name, 0)
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestJoinShowsMountsInTheirDirectories(t *testing.T) {
	scans := treeOf(t, map[string]string{"one.pdf": "1", "old/two.pdf": "2"})
	deep := treeOf(t, map[string]string{"x": "deep"})
	j := Join(treeOf(t, map[string]string{"own": "o", "in/hidden": "h", "a/beside": "b"}), []Mount{
		{Path: "/in", FS: scans}, {Path: "/a/b/c", FS: deep, ReadOnly: true},
	})
	for dir, want := range map[string]string{
		".": "a/ in/ own", "in": "old/ one.pdf", "in/old": "two.pdf", "a": "b/ beside", "a/b": "c/", "a/b/c": "x",
	} {
		if got := listed(t, j, dir); got != want {
			t.Errorf("%s has %q, want %q", dir, got, want)
		}
		if info, err := j.Stat(t.Context(), dir); err != nil || !info.IsDir() || info.Name() != path.Base(dir) {
			t.Errorf("Stat of %s: %v, %v", dir, info, err)
		}
	}
	for name, want := range map[string]string{"own": "o", "in/one.pdf": "1", "in/old/two.pdf": "2", "a/b/c/x": "deep", "a/beside": "b"} {
		if got := content(t, j, name); got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	if got := content(t, j, "in/hidden"); !strings.Contains(got, "not exist") {
		t.Errorf("what a mount shadows: %q", got)
	}
}

func TestJoinChangesOneTreeAtATime(t *testing.T) {
	ctx := t.Context()
	scans, deep := treeOf(t, map[string]string{"one": "1"}), treeOf(t, map[string]string{"x": "deep"})
	j := Join(treeOf(t, map[string]string{"own": "o"}), []Mount{{Path: "/in", FS: scans}, {Path: "/a/b", FS: deep, ReadOnly: true}})
	store(t, j, "in/new", "n")
	if got := content(t, scans, "new"); got != "n" {
		t.Errorf("in/new is %q in its tree", got)
	}
	if err := j.Rename(ctx, "in/new", "in/newer"); err != nil {
		t.Error(err)
	}
	if err := j.Mkdir(ctx, "a/c"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory beside a mount, where the root has none: %v", err)
	}
	create := func(name string) error { _, err := j.Create(ctx, name, 0); return err }
	for what, c := range map[string]struct{ err, want error }{
		"into another tree":          {j.Rename(ctx, "own", "in/own"), syscall.EXDEV},
		"out of a tree":              {j.Rename(ctx, "in/one", "one"), syscall.EXDEV},
		"a mount":                    {j.Rename(ctx, "in", "out"), fs.ErrPermission},
		"over a mount":               {j.Rename(ctx, "own", "in"), fs.ErrPermission},
		"the way to a mount":         {j.Rename(ctx, "a", "z"), fs.ErrPermission},
		"removing a mount":           {j.Rmdir(ctx, "in"), fs.ErrPermission},
		"removing the way":           {j.Rmdir(ctx, "a"), fs.ErrPermission},
		"making a mount":             {j.Mkdir(ctx, "in"), fs.ErrExist},
		"a file in place of a mount": {create("in"), ftp.ErrIsDir},
		"storing what is read-only":  {create("a/b/new"), fs.ErrPermission},
		"deleting what is read-only": {j.Remove(ctx, "a/b/x"), fs.ErrPermission},
		"the time of what is":        {j.(ftp.ModTimer).SetModTime(ctx, "a/b/x", time.Now()), fs.ErrPermission},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", what, c.err, c.want)
		}
	}
	perms := map[string]ftp.Perm{"a/b/x": ftp.PermRead, "in/one": ftp.PermAll}
	for name, most := range perms {
		info, err := j.Stat(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if got := j.(ftp.Permitter).Permitted(name, info); got&^(most|ftp.PermEnter) != 0 || got&ftp.PermRead == 0 {
			t.Errorf("%s may be used as %b", name, got)
		}
	}
	info, err := j.Stat(ctx, "in")
	if err != nil {
		t.Fatal(err)
	}
	if got := j.(ftp.Permitter).Permitted("in", info); got&(ftp.PermDelete|ftp.PermRename) != 0 || got&ftp.PermCreate == 0 {
		t.Errorf("a mount may be used as %b", got)
	}
}

func TestJoinWithoutARoot(t *testing.T) {
	j := Join(nil, []Mount{{Path: "/in", FS: treeOf(t, nil)}})
	if got := listed(t, j, "."); got != "in/" {
		t.Errorf("the root has %q", got)
	}
	store(t, j, "in/x", "x")
	if _, err := j.Create(t.Context(), "x", 0); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("storing in the root: %v", err)
	}
	if err := j.Mkdir(t.Context(), "d"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("making a directory in the root: %v", err)
	}
	if _, err := j.Stat(t.Context(), "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
	if got := listed(t, j, "none"); !strings.Contains(got, "not exist") {
		t.Errorf("a directory that is not there has %q", got)
	}
}
