package vfs_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

// whole takes the optional abilities of a remote away, Stager among them: it does not embed
// Forward, so that package remote takes it for a driver.
type whole struct{ remote.Remote }

// fixed is a remote with abilities and, unless it is nil, a reader as given.
type fixed struct {
	remote.Remote
	caps   remote.Caps
	reader io.ReadCloser
}

func (f fixed) Info() remote.Info { return remote.Info{Name: "fixed:", Caps: f.caps} }

func (f fixed) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if f.reader != nil {
		return f.reader, nil
	}
	return f.Remote.Open(ctx, name, off, n)
}

// eachStager runs test over every remote that can stage.
func eachStager(t *testing.T, test func(t *testing.T, r remote.Remote)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { test(t, memory.New()) })
	t.Run("local", func(t *testing.T) {
		r, err := local.New(t.TempDir(), local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		test(t, r)
	})
}

// eachKind runs test over every remote that can stage, and over one that takes whole files only.
func eachKind(t *testing.T, test func(t *testing.T, r remote.Remote)) {
	t.Helper()
	eachStager(t, test)
	t.Run("streamed", func(t *testing.T) { test(t, whole{memory.New()}) })
}

// upload sends content and commits it.
func upload(t *testing.T, v *vfs.View, name, content string, off int64) {
	t.Helper()
	u, err := v.Create(t.Context(), name, off)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(u, content); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	u.Abort() // does nothing any more
}

// cut sends content and loses the connection.
func cut(t *testing.T, v *vfs.View, name, content string, off int64) {
	t.Helper()
	u, err := v.Create(t.Context(), name, off)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(u, content); err != nil {
		t.Fatal(err)
	}
	u.Abort()
	u.Abort()
}

func content(t *testing.T, v *vfs.View, name string) string {
	t.Helper()
	r, err := v.Open(t.Context(), name, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// names lists dir, sorted.
func names(t *testing.T, v *vfs.View, dir string) string {
	t.Helper()
	var found []string
	for info, err := range v.List(t.Context(), dir) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, info.Name())
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}

func size(t *testing.T, v *vfs.View, name string) int64 {
	t.Helper()
	info, err := v.Stat(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func mkdir(t *testing.T, v *vfs.View, dir string) {
	t.Helper()
	if err := v.Mkdir(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
}

// wantErr checks the class of an error, and that its hint holds a text ("" = it need not have one).
func wantErr(t *testing.T, err, class error, hint string) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Errorf("got error %v, want %v", err, class)
		return
	}
	var h interface{ Hint() string }
	if hint == "" {
		return
	}
	if !errors.As(err, &h) || !strings.Contains(h.Hint(), hint) {
		t.Errorf("the error %v should hint at %q", err, hint)
	}
}

// wantGone checks that name does not exist for v.
func wantGone(t *testing.T, v *vfs.View, name string) {
	t.Helper()
	if info, err := v.Stat(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat(%q) = %v, %v; want it not to exist", name, info, err)
	}
}
