//go:build unix

package local

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/remote"
)

// trees are the implementations that this system has.
func trees() map[string]openFunc {
	return map[string]openFunc{"system": openTree, "root": openRootTree}
}

// A site is a directory that is served, beside one that is not, and both hold files.
type site struct {
	*testing.T
	top string // holds root and outside
	r   *Remote
}

func newSite(t *testing.T, tree openFunc, o Options) *site {
	top := t.TempDir()
	for _, dir := range []string{"root/d", "outside/d"} {
		must(t, os.MkdirAll(filepath.Join(top, dir), 0o755))
	}
	for _, file := range []string{"root/f", "root/d/f", "outside/f", "outside/d/f"} {
		must(t, os.WriteFile(filepath.Join(top, file), []byte(file), 0o644))
	}
	r := openDir(t, filepath.Join(top, "root"), tree, o)
	t.Cleanup(func() { r.Close() })
	return &site{t, top, r}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// link makes the symbolic link name in the root.
func (s *site) link(target, name string) {
	s.Helper()
	must(s.T, os.Symlink(target, filepath.Join(s.top, "root", name)))
}

// untouched checks that what lies outside is as it was.
func (s *site) untouched() {
	s.Helper()
	for _, file := range []string{"outside/f", "outside/d/f"} {
		b, err := os.ReadFile(filepath.Join(s.top, file))
		if err != nil || string(b) != file {
			s.Errorf("%s holds %q, %v", file, b, err)
		}
		info, err := os.Stat(filepath.Join(s.top, file))
		if err != nil || info.Mode().Perm() != 0o644 || time.Since(info.ModTime()).Abs() > time.Hour {
			s.Errorf("%s: %v", file, info)
		}
	}
	for _, dir := range []string{"outside", "outside/d"} {
		entries, err := os.ReadDir(filepath.Join(s.top, dir))
		if err != nil || len(entries) > 2 {
			s.Errorf("%s holds %v, %v", dir, entries, err)
		}
	}
}

func (s *site) names(dir string) string {
	s.Helper()
	var names []string
	for e, err := range s.r.List(s.Context(), dir) {
		if err != nil {
			s.Fatalf("List(%q): %v", dir, err)
		}
		names = append(names, e.Name)
	}
	return sorted(names)
}

// everything is what can be done with a name, as one error each.
func (s *site) everything(name string) map[string]error {
	ctx := s.Context()
	_, stat := s.r.Stat(ctx, name)
	f, open := s.r.Open(ctx, name, 0, -1)
	if open == nil {
		f.Close()
	}
	var list error
	for _, err := range s.r.List(ctx, name) {
		list = err
	}
	u, base := s.r.Stage(ctx, name, remote.StageOptions{Owner: "o", Base: remote.BaseFile})
	if base == nil {
		must(s.T, u.Abort())
	}
	return map[string]error{
		"Stat":       stat,
		"Open":       open,
		"List":       list,
		"BaseFile":   base,
		"SetModTime": s.r.SetModTime(ctx, name, time.Unix(0, 0)),
		"SetMode":    s.r.SetMode(ctx, name, 0o600),
		"Copy":       s.r.Copy(ctx, name, "copy"),
		"Rmdir":      s.r.Rmdir(ctx, name),
		"Remove":     s.r.Remove(ctx, name),
		"Move":       s.r.Move(ctx, name, "moved"),
	}
}

func TestLinksAreAsGoodAsNotThere(t *testing.T) {
	links := map[string]string{
		"inside":   "f",
		"dir":      "d",
		"outside":  "../outside/f",
		"outdir":   "../outside/d",
		"absolute": "/etc/passwd",
		"dangling": "none",
		"loop":     "loop",
	}
	for name, tree := range trees() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, tree, Options{})
			for link, target := range links {
				s.link(target, link)
			}
			if got := s.names("."); got != "d f" {
				t.Errorf("listed: %s", got)
			}
			for link := range links {
				for op, err := range s.everything(link) {
					// What would be stored in place of a link is refused in a way that tells there
					// is something.
					if !errors.Is(err, remote.ErrNotExist) && (op != "BaseFile" || !errors.Is(err, remote.ErrPermission)) {
						t.Errorf("%s %s: %v", op, link, err)
					}
				}
				for op, err := range s.everything(link + "/f") {
					if !errors.Is(err, remote.ErrNotExist) && !errors.Is(err, remote.ErrNotDir) {
						t.Errorf("%s %s/f: %v", op, link, err)
					}
				}
				s.storingFails(link, remote.ErrPermission)
				s.storingFails(link+"/new", remote.ErrNotExist, remote.ErrNotDir)
			}
			s.untouched()
			for link, target := range links {
				if got, err := os.Readlink(filepath.Join(s.top, "root", link)); got != target {
					t.Errorf("%s leads to %q, %v", link, got, err)
				}
			}
		})
	}
}

// storingFails checks that nothing can be stored as name.
func (s *site) storingFails(name string, wanted ...error) {
	s.Helper()
	ctx := s.Context()
	_, put := s.r.Put(ctx, name, strings.NewReader("x"), remote.PutOptions{})
	_, stage := s.r.Stage(ctx, name, remote.StageOptions{Owner: "o"})
	for op, err := range map[string]error{
		"Put":       put,
		"Stage":     stage,
		"Copy to":   s.r.Copy(ctx, "f", name),
		"Move to":   s.r.Move(ctx, "f", name),
		"Mkdir":     s.r.Mkdir(ctx, name),
		"Move d to": s.r.Move(ctx, "d", name),
	} {
		ok := errors.Is(err, remote.ErrExist)
		for _, want := range wanted {
			ok = ok || errors.Is(err, want)
		}
		if !ok {
			s.Errorf("%s %s: %v", op, name, err)
		}
	}
}

func TestCopyLinksFollowsLinksThatStayInside(t *testing.T) {
	for name, tree := range trees() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, tree, Options{CopyLinks: true})
			s.link("d/f", "file")
			s.link("d", "dir")
			s.link("../f", "d/up")
			s.link("../outside/f", "outside")
			s.link("../outside/d", "outdir")
			s.link("/etc/passwd", "absolute")
			s.link("none", "dangling")
			s.link("loop", "loop")
			if got := s.names("."); got != "d dir f file" {
				t.Errorf("listed: %s", got)
			}
			if got := s.names("dir"); got != "f up" {
				t.Errorf("listed: %s", got)
			}
			for name, want := range map[string]string{"file": "root/d/f", "dir/f": "root/d/f", "dir/up": "root/f"} {
				if got := s.read(name); got != want {
					t.Errorf("%s holds %q", name, got)
				}
			}
			target, _ := s.r.Stat(t.Context(), "d/f")
			if e, err := s.r.Stat(t.Context(), "file"); err != nil || e.Name != "file" || e.ID != target.ID || e.Size != 8 {
				t.Errorf("%+v, %v", e, err)
			}
			for _, link := range []string{"outside", "outdir", "absolute", "outdir/f"} {
				for op, err := range s.everything(link) {
					var h interface{ Hint() string }
					if !errors.Is(err, remote.ErrPermission) || !errors.As(err, &h) || !strings.Contains(h.Hint(), "leads out") {
						t.Errorf("%s %s: %v", op, link, err)
					}
				}
			}
			for _, link := range []string{"dangling", "loop"} {
				for op, err := range s.everything(link) {
					if !errors.Is(err, remote.ErrNotExist) {
						t.Errorf("%s %s: %v", op, link, err)
					}
				}
			}
			s.storingFails("outdir/new", remote.ErrPermission)
			s.untouched()
		})
	}
}

func TestCopyLinksChangesLinksAndTargets(t *testing.T) {
	for name, tree := range trees() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, tree, Options{CopyLinks: true})
			ctx := t.Context()
			s.link("d/f", "file")
			s.link("d", "dir")

			must(t, s.r.SetMode(ctx, "file", 0o600))
			must(t, s.r.SetModTime(ctx, "file", time.Unix(1e9, 0)))
			if e, err := s.r.Stat(ctx, "d/f"); err != nil || e.Mode != 0o600 || !e.ModTime.Equal(time.Unix(1e9, 0)) {
				t.Errorf("the target: %+v, %v", e, err)
			}

			must(t, s.r.Move(ctx, "file", "d/f")) // onto what it leads to
			if got := s.read("d/f"); got != "root/d/f" {
				t.Errorf("the target holds %q", got)
			}

			s.link("d/f", "file")
			_, err := s.r.Put(ctx, "file", strings.NewReader("new"), remote.PutOptions{})
			must(t, err)
			if got := s.read("file") + s.read("d/f"); got != "newroot/d/f" {
				t.Errorf("link and target hold %q", got)
			}
			if e, _ := s.r.Stat(ctx, "file"); e.Mode != 0o600 {
				t.Errorf("mode %v, that of the target was 0600", e.Mode)
			}

			if err := s.r.Remove(ctx, "dir"); !errors.Is(err, remote.ErrIsDir) {
				t.Errorf("Remove of a link to a directory: %v", err)
			}
			if err := s.r.Rmdir(ctx, "dir"); !errors.Is(err, remote.ErrPermission) {
				t.Errorf("Rmdir of a link to a directory: %v", err)
			}
			if _, err := s.r.Stage(ctx, "dir", remote.StageOptions{Owner: "o"}); !errors.Is(err, remote.ErrIsDir) {
				t.Errorf("Stage of a link to a directory: %v", err)
			}
			s.link("f", "gone")
			must(t, s.r.Remove(ctx, "gone"))
			if got := s.read("f"); got != "root/f" {
				t.Errorf("the target of a removed link holds %q", got)
			}
			if got := s.names("."); got != "d dir f file" {
				t.Errorf("listed: %s", got)
			}
		})
	}
}

// TestASwappedDirectoryLeadsNowhere replaces a directory by a link to the outside and back while
// files are stored, read and removed in it.
func TestASwappedDirectoryLeadsNowhere(t *testing.T) {
	for name, tree := range trees() {
		for _, links := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, tree, Options{CopyLinks: links})
				root := filepath.Join(s.top, "root")
				s.link("../outside/d", "evil")
				var swapping sync.WaitGroup
				stop := make(chan struct{})
				swapping.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						os.Rename(filepath.Join(root, "d"), filepath.Join(root, "away"))
						os.Rename(filepath.Join(root, "evil"), filepath.Join(root, "d"))
						os.Rename(filepath.Join(root, "d"), filepath.Join(root, "evil"))
						os.Rename(filepath.Join(root, "away"), filepath.Join(root, "d"))
					}
				})
				ctx := t.Context()
				stored := 0
				for i := 0; i < 500 || stored == 0 && i < 100_000; i++ {
					if _, err := s.r.Put(ctx, "d/new", strings.NewReader("x"), remote.PutOptions{}); err == nil {
						stored++
					}
					if f, err := s.r.Open(ctx, "d/f", 0, -1); err == nil {
						if b, err := io.ReadAll(f); string(b) == "outside/d/f" {
							t.Errorf("read from outside: %q, %v", b, err)
						}
						f.Close()
					}
					_ = s.r.Remove(ctx, "d/new")
					_ = s.r.SetModTime(ctx, "d/f", time.Now())
				}
				close(stop)
				swapping.Wait()
				if stored == 0 {
					t.Error("nothing could be stored at all")
				}
				s.untouched()
			})
		}
	}
}

func (s *site) read(name string) string {
	s.Helper()
	f, err := s.r.Open(s.Context(), name, 0, -1)
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	must(s.T, err)
	return string(b)
}

func TestANameThatIsNoDirectoryCannotBeServed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	must(t, os.WriteFile(file, nil, 0o600))
	for name, tree := range trees() {
		if _, err := newRemote(filepath.Join(dir, "none"), Options{}, tree); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a missing directory: %v", name, err)
		}
		if _, err := newRemote(file, Options{}, tree); !errors.Is(err, remote.ErrNotDir) {
			t.Errorf("%s: a file: %v", name, err)
		}
	}
}

// What a stage replaces is what Stat says of its name.
func TestWhatAStageReplaces(t *testing.T) {
	for name, tree := range trees() {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, tree, Options{CopyLinks: true})
			s.link("f", "to-file")
			s.link("nowhere", "to-nothing")
			for _, name := range []string{"f", "d/f", "d/new", "to-file", "to-nothing", "later"} {
				st := stageOf(t, s.r, name, remote.StageOptions{Owner: "bob"})
				if name == "later" {
					must(t, os.WriteFile(filepath.Join(s.top, "root", name), []byte("meanwhile"), 0o644))
				}
				got, ok, err := remote.Replaces(t.Context(), st)
				want, wantErr := s.r.Stat(t.Context(), name)
				if !ok || got != want || errors.Is(err, remote.ErrNotExist) != errors.Is(wantErr, remote.ErrNotExist) {
					t.Errorf("%s: %+v, %v, %v; Stat says %+v, %v", name, got, ok, err, want, wantErr)
				}
			}
		})
	}
}
