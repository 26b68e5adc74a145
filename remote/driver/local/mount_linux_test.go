package local

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"ferry/remote"
)

// withMounts gives the rest of the test a view of the file systems that is its own. It works on the
// test's goroutine only, whose thread ends with it.
func withMounts(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		t.Skip("the system does not let the test mount anything:", err)
	}
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
}

func mountAt(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Mount("ferry-test", dir, "tmpfs", 0, ""); err != nil {
		t.Fatalf("a mount in a view of its own: %v", err)
	}
}

// letGo is the time that r takes to let go of a directory that nobody uses.
func letGo(r *Remote) {
	for range 2 {
		r.served.expire()
	}
}

func TestARealMountThatComesAndGoes(t *testing.T) {
	for _, tree := range trees() {
		withMounts(t)
		top := t.TempDir()
		disk := filepath.Join(top, "disk")
		must(t, os.Mkdir(disk, 0o777))
		r := openDir(t, disk, tree, Options{})
		defer r.Close()
		if point := mountOf(disk); point == disk {
			t.Fatalf("%q is a mount point already", disk)
		}
		put(t, r, "beneath", "x")
		mountAt(t, disk)
		if names, err := list(t, r, "."); err != nil || len(names) > 0 {
			t.Errorf("mounted late it lists %q, %v", names, err)
		}
		must(t, r.Mkdir(t.Context(), "sub"))
		put(t, r, "sub/f", "on the disk")
		letGo(r)
		if err := unix.Unmount(disk, 0); err != nil {
			t.Errorf("nothing is used, and still: %v", err)
		}
		wantAllAway(t, r)
		mountAt(t, disk)
		put(t, r, "again", "x")

		// An upload is under way when the disk goes.
		s, err := r.Stage(t.Context(), "cut", remote.StageOptions{Owner: "bob"})
		must(t, err)
		must(t, unix.Unmount(disk, unix.MNT_DETACH))
		_, err = s.Commit(t.Context(), modTime)
		wantAway(t, "Commit", err)
		must(t, s.Abort())
		if got := files(t, disk); got != "beneath" {
			t.Errorf("beneath the mount point is %s", got)
		}
	}
}

// A required mount is waited for, and a directory in it too.
func TestARealMountIsRequired(t *testing.T) {
	withMounts(t)
	disk := filepath.Join(t.TempDir(), "disk")
	must(t, os.MkdirAll(filepath.Join(disk, "ftp"), 0o777))
	r, err := New(filepath.Join(disk, "ftp"), Options{RequireMount: true})
	must(t, err)
	defer r.Close()
	if mountOf(disk) == "" {
		wantAllAway(t, r)
	}
	mountAt(t, disk)
	wantAllAway(t, r)
	must(t, os.Mkdir(filepath.Join(disk, "ftp"), 0o777))
	put(t, r, "f", "x")
	letGo(r)
	must(t, unix.Unmount(disk, 0))
	wantAllAway(t, r)
}
