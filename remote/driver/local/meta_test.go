//go:build unix

package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/remote"
)

func TestMayWriteFollowsThePermissionBits(t *testing.T) {
	user := identity{uid: 1000, gid: 100, gids: map[uint32]bool{100: true, 200: true}}
	root := identity{root: true, gids: map[uint32]bool{0: true}}
	unnumbered := identity{uid: -1}
	for _, c := range []struct {
		id       identity
		perm     fs.FileMode
		uid, gid uint32
		want     bool
	}{
		{user, 0o200, 1000, 0, true},
		{user, 0o022, 1000, 100, false}, // the owner's bits count for the owner
		{user, 0o020, 5, 100, true},
		{user, 0o020, 5, 200, true},
		{user, 0o002, 5, 200, false},
		{user, 0o002, 5, 7, true},
		{user, 0o220, 5, 7, false},
		{root, 0o000, 5, 7, true},
		{unnumbered, 0o200, 0, 0, true},
		{unnumbered, 0o444, 0, 0, false},
	} {
		if got := c.id.mayWrite(&meta{perm: c.perm, uid: c.uid, gid: c.gid}); got != c.want {
			t.Errorf("%+v, %v of %d:%d: %v", c.id, c.perm, c.uid, c.gid, got)
		}
	}
}

func TestReadOnlyIsListed(t *testing.T) {
	for name, tree := range trees() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, tree, Options{})
			s.r.self = identity{uid: os.Geteuid(), gid: os.Getegid()} // and not root
			must(t, os.Chmod(filepath.Join(s.top, "root", "f"), 0o444))
			for e, err := range s.r.List(t.Context(), ".") {
				if err != nil || e.ReadOnly != (e.Name == "f") {
					t.Errorf("%+v, %v", e, err)
				}
			}
		})
	}
}

func TestErrorsOfTheSystemSatisfyThoseOfRemote(t *testing.T) {
	for errno, want := range map[syscall.Errno]error{
		syscall.ENOENT:       remote.ErrNotExist,
		syscall.EEXIST:       remote.ErrExist,
		syscall.EACCES:       remote.ErrPermission,
		syscall.EPERM:        remote.ErrPermission,
		syscall.EROFS:        remote.ErrPermission,
		syscall.EXDEV:        remote.ErrPermission,
		syscall.ELOOP:        remote.ErrNotExist,
		syscall.ENAMETOOLONG: remote.ErrBadName,
		syscall.EILSEQ:       remote.ErrBadName,
		syscall.EISDIR:       remote.ErrIsDir,
		syscall.ENOTDIR:      remote.ErrNotDir,
		syscall.ENOTEMPTY:    remote.ErrNotEmpty,
		syscall.ENOSPC:       remote.ErrNoSpace,
		syscall.EDQUOT:       remote.ErrQuota,
		syscall.ENOSYS:       remote.ErrUnsupported,
	} {
		for _, err := range []error{
			errno,
			&fs.PathError{Op: "open", Path: "/secret/place", Err: errno},
			&os.LinkError{Op: "rename", Old: "/secret/place", New: "b", Err: errno},
			os.NewSyscallError("openat", errno),
			errors.Join(errno),
		} {
			got := fail("op", "name", err)
			var pe *fs.PathError
			if !errors.Is(got, want) || !errors.Is(got, errno) || !errors.As(got, &pe) || pe.Path != "name" {
				t.Errorf("%v became %v", err, got)
			}
			if strings.Contains(got.Error(), "/secret") {
				t.Errorf("%v tells a path of this machine", got)
			}
		}
	}
}

func TestModesOfWhatIsNew(t *testing.T) {
	umask := syscall.Umask(0)
	syscall.Umask(umask)
	for name, tree := range trees() {
		for _, o := range []Options{{}, {DirPerm: 0o750, FilePerm: 0o640}} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, tree, o)
				must(t, s.r.Mkdir(t.Context(), "new"))
				_, err := s.r.Put(t.Context(), "new/f", strings.NewReader("x"), remote.PutOptions{})
				must(t, err)
				dir, file := o.DirPerm, o.FilePerm
				if dir == 0 {
					dir, file = 0o777, 0o666
				}
				for path, want := range map[string]fs.FileMode{"new": dir, "new/f": file} {
					info, err := os.Stat(filepath.Join(s.top, "root", path))
					if want &^= fs.FileMode(umask); err != nil || info.Mode().Perm() != want {
						t.Errorf("%s: %v, want %v", path, info.Mode(), want)
					}
				}
			})
		}
	}
}

func TestAReplacedFileKeepsItsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	for name, tree := range trees() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, tree, Options{})
			path := filepath.Join(s.top, "root", "f")
			must(t, os.Chown(path, 1234, 5678))
			must(t, os.Chmod(path, 0o606))
			_, err := s.r.Put(t.Context(), "f", strings.NewReader("new"), remote.PutOptions{})
			must(t, err)
			info, err := os.Stat(path)
			must(t, err)
			if m := metaOf(info); m.uid != 1234 || m.gid != 5678 || m.perm != 0o606 {
				t.Errorf("%d:%d %v", m.uid, m.gid, m.perm)
			}
		})
	}
}

func TestHardLinksAreTwoNamesOfOneFile(t *testing.T) {
	for name, tree := range trees() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, tree, Options{})
			ctx := t.Context()
			must(t, os.Link(filepath.Join(s.top, "root/f"), filepath.Join(s.top, "root/g")))
			one, _ := s.r.Stat(ctx, "f")
			two, _ := s.r.Stat(ctx, "g")
			if one.ID == 0 || one.ID != two.ID {
				t.Errorf("IDs %d and %d", one.ID, two.ID)
			}
			must(t, s.r.Move(ctx, "f", "g"))
			if got := s.names("."); got != "d g" {
				t.Errorf("after Move: %s", got)
			}
			must(t, os.Link(filepath.Join(s.top, "root/g"), filepath.Join(s.top, "root/h")))
			_, err := s.r.Put(ctx, "g", strings.NewReader("new"), remote.PutOptions{})
			must(t, err)
			if got := s.read("h"); got != "root/f" {
				t.Errorf("the other name holds %q", got)
			}
		})
	}
}

// TestTheVersionTellsOfAWriteThatHidesItsTime writes in place, keeps the size and sets the time
// back.
func TestTheVersionTellsOfAWriteThatHidesItsTime(t *testing.T) {
	r := open(t, openTree, Options{})
	defer r.Close()
	ctx := t.Context()
	if _, err := r.Put(ctx, "f", strings.NewReader("old"), remote.PutOptions{ModTime: time.Unix(1e9, 0)}); err != nil {
		t.Fatal(err)
	}
	before, err := r.Stat(ctx, "f")
	must(t, err)
	if before.Version == "" || !strings.Contains(before.Version, "-") {
		t.Fatalf("version %q", before.Version)
	}
	path := filepath.Join(strings.TrimPrefix(r.Info().Name, "local:"), "f")
	must(t, os.WriteFile(path, []byte("new"), 0o600))
	must(t, os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)))
	after, err := r.Stat(ctx, "f")
	must(t, err)
	if !r.served.access.portable && after.Version == before.Version {
		t.Errorf("both are %q", after.Version)
	}
}

func TestNothingStaysOpen(t *testing.T) {
	if _, err := os.ReadDir("/proc/self/fd"); err != nil {
		t.Skip("the system does not tell which files are open:", err)
	}
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		must(t, err)
		return len(entries)
	}
	for name, tree := range trees() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, tree, Options{CopyLinks: true})
			for i := range 2000 {
				must(t, os.WriteFile(filepath.Join(s.top, "root/d", strings.Repeat("n", 60)+string(rune(0x4e00+i))), nil, 0o600))
			}
			s.link("/etc", "absolute")
			s.link("../outside/d", "outdir")
			work := func() {
				for _, name := range []string{"f", "d", "d/f", "none", "none/none", "f/x", "absolute", "outdir/f", "d/none"} {
					for range s.everything(name) {
					}
					_, _ = s.r.Put(t.Context(), name, strings.NewReader("x"), remote.PutOptions{Size: 2})
					for _, base := range []remote.Base{remote.BaseEmpty, remote.BaseFile, remote.BasePart} {
						if u, err := s.r.Stage(t.Context(), name, remote.StageOptions{Owner: "o", Base: base}); err == nil {
							_, _ = io.WriteString(u, "x")
							_ = u.Keep()
						}
					}
				}
				for _, stop := range []int{1, 300, 1500, 1_000_000} {
					ctx, cancel := context.WithCancel(t.Context())
					n := 0
					for range s.r.List(ctx, "d") {
						if n++; n == stop {
							break
						}
						if n == 700 && stop > 1000 {
							cancel()
						}
					}
					cancel()
				}
			}
			work() // what the runtime opens for itself is open afterwards
			before := open()
			work()
			if after := open(); after != before {
				t.Errorf("%d descriptors before, %d after", before, after)
			}
		})
	}
}

func TestNothingWorksAfterClose(t *testing.T) {
	for name, tree := range trees() {
		t.Run(name, func(t *testing.T) {
			r := open(t, tree, Options{})
			must(t, r.Close())
			ctx := t.Context()
			_, stat := r.Stat(ctx, "f")
			_, put := r.Put(ctx, "f", strings.NewReader("x"), remote.PutOptions{})
			_, open := r.Open(ctx, "f", 0, -1)
			for op, err := range map[string]error{"Stat": stat, "Put": put, "Open": open, "Mkdir": r.Mkdir(ctx, "d")} {
				if !errors.Is(err, fs.ErrClosed) {
					t.Errorf("%s: %v", op, err)
				}
			}
		})
	}
}

func TestUsageIsThatOfTheDisk(t *testing.T) {
	r := open(t, openTree, Options{})
	defer r.Close()
	u, err := r.Usage(t.Context())
	if errors.Is(err, remote.ErrUnsupported) && runtime.GOOS != "linux" {
		t.Skip("the size of the disk is not asked for here:", err)
	}
	if err != nil || u.Total <= 0 || u.Free < 0 || u.Free > u.Total {
		t.Errorf("%+v, %v", u, err)
	}
}
