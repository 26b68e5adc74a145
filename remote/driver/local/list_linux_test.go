package local

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ferry/remote"
)

// TestADirectoryThatMayOnlyBeReadIsAnError looks at it as nobody: an empty listing would be a lie.
func TestADirectoryThatMayOnlyBeReadIsAnError(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can look as somebody else")
	}
	top := t.TempDir()
	for dir, mode := range map[string]os.FileMode{"read": 0o744, "search": 0o755} {
		must(t, os.Mkdir(filepath.Join(top, dir), 0o700))
		must(t, os.WriteFile(filepath.Join(top, dir, "f"), nil, 0o600))
		must(t, os.Chmod(filepath.Join(top, dir), mode))
	}
	must(t, os.Chmod(top, 0o755))
	must(t, os.Chmod(filepath.Dir(top), 0o755))
	r := openDir(t, top, openTree, Options{})
	defer r.Close()

	asNobody(t)
	read := func(dir string) (n int, last error) {
		for _, err := range r.List(t.Context(), dir) {
			n, last = n+1, err
		}
		return n, last
	}
	if n, err := read("read"); n != 1 || !errors.Is(err, remote.ErrPermission) {
		t.Errorf("read: %d, %v", n, err)
	}
	if n, err := read("search"); n != 1 || err != nil {
		t.Errorf("search: %d, %v", n, err)
	}
}

func TestAFileThatMayNotBeWrittenIsNotReplaced(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can look as somebody else")
	}
	top := t.TempDir()
	must(t, os.Chmod(top, 0o777))
	must(t, os.Chmod(filepath.Dir(top), 0o755))
	must(t, os.WriteFile(filepath.Join(top, "f"), []byte("old"), 0o644))
	must(t, os.WriteFile(filepath.Join(top, "mine"), []byte("old"), 0o666))
	must(t, os.Chmod(filepath.Join(top, "mine"), 0o666))
	r := openDir(t, top, openTree, Options{})
	defer r.Close()

	t.Cleanup(func() {
		if got := files(t, top); got != "f mine new" {
			t.Errorf("on the disk: %s", got)
		}
	})
	asNobody(t)
	ctx := t.Context()
	for _, base := range []remote.Base{remote.BaseEmpty, remote.BaseFile} {
		_, err := r.Stage(ctx, "f", remote.StageOptions{Owner: "o", Base: base})
		if !errors.Is(err, remote.ErrPermission) {
			t.Errorf("base %d: %v", base, err)
		}
	}
	_, err := r.Put(ctx, "f", strings.NewReader("new"), remote.PutOptions{})
	if !errors.Is(err, remote.ErrPermission) {
		t.Errorf("Put: %v", err)
	}
	if err := r.Move(ctx, "mine", "f"); !errors.Is(err, remote.ErrPermission) {
		t.Errorf("Move: %v", err)
	}
	if _, err := r.Put(ctx, "new", strings.NewReader("new"), remote.PutOptions{}); err != nil {
		t.Errorf("a new file: %v", err)
	}
}

// asNobody lets the rest of the test look at files as a user who owns none. It works on the test's
// goroutine only.
func asNobody(t *testing.T) {
	t.Helper()
	const nobody = 65534
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	if _, err := unix.SetfsuidRetUid(nobody); err != nil {
		t.Skip("the test cannot look as somebody else:", err)
	}
	t.Cleanup(func() {
		if err := unix.Setfsuid(0); err != nil {
			t.Error(err)
		}
	})
}

func TestDeadMounts(t *testing.T) {
	for _, err := range []error{unix.ENOTCONN, unix.ESTALE, &os.PathError{Err: syscall.ESTALE}} {
		if !deadMount(err) {
			t.Errorf("%v is not one", err)
		}
	}
	for _, err := range []error{nil, unix.EIO, unix.EACCES} {
		if deadMount(err) {
			t.Errorf("%v is one", err)
		}
	}
}
