//go:build unix

package local

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
)

// bothTrees runs a test on each way to reach the files.
func bothTrees(t *testing.T, test func(t *testing.T, tree openFunc)) {
	for name, tree := range trees() {
		t.Run(name, func(t *testing.T) { test(t, tree) })
	}
}

// list returns what a directory of r lists before an error.
func list(t *testing.T, r *Remote, dir string) (names []string, err error) {
	t.Helper()
	for e, err := range r.List(t.Context(), dir) {
		if err != nil {
			return names, err
		}
		names = append(names, e.Name)
	}
	return names, nil
}

func put(t *testing.T, r *Remote, name, content string) {
	t.Helper()
	_, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{Size: int64(len(content))})
	must(t, err)
}

var modTime = time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)

// wantAway fails unless err says that the remote could not be reached: no answer, and no "does not
// exist".
func wantAway(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || remote.Permanent(err) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s of a directory that is away: %v", what, err)
	}
}

// wantAllAway makes every kind of call of a remote whose directory is away.
func wantAllAway(t *testing.T, r *Remote) {
	t.Helper()
	ctx := t.Context()
	_, err := list(t, r, ".")
	wantAway(t, "List", err)
	_, err = list(t, r, "sub")
	wantAway(t, "List below", err)
	_, err = r.Stat(ctx, ".")
	wantAway(t, "Stat", err)
	_, err = r.Stat(ctx, "sub/f")
	wantAway(t, "Stat below", err)
	_, err = r.Open(ctx, "f", 0, -1)
	wantAway(t, "Open", err)
	_, err = r.Put(ctx, "g", strings.NewReader("x"), remote.PutOptions{Size: 1})
	wantAway(t, "Put", err)
	_, err = r.Stage(ctx, "g", remote.StageOptions{Owner: "bob"})
	wantAway(t, "Stage", err)
	wantAway(t, "Mkdir", r.Mkdir(ctx, "d"))
	wantAway(t, "Rmdir", r.Rmdir(ctx, "sub"))
	wantAway(t, "Remove", r.Remove(ctx, "f"))
	wantAway(t, "Move", r.Move(ctx, "f", "g"))
	wantAway(t, "SetMode", r.SetMode(ctx, "f", 0o600))
	_, err = r.Usage(ctx)
	wantAway(t, "Usage", err)
	_, err = r.Part(ctx, "f", "bob")
	wantAway(t, "Part", err)
}

func TestADirectoryThatVanishesIsAwayAndOpenedAnew(t *testing.T) {
	bothTrees(t, func(t *testing.T, tree openFunc) {
		dir := filepath.Join(t.TempDir(), "served")
		must(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o777))
		must(t, os.WriteFile(filepath.Join(dir, "f"), []byte("old"), 0o666))
		r := openDir(t, dir, tree, Options{})
		defer r.Close()
		must(t, os.RemoveAll(dir))
		wantAllAway(t, r)
		must(t, os.Mkdir(dir, 0o777))
		if names, err := list(t, r, "."); err != nil || len(names) != 0 {
			t.Errorf("made again it is listed as %v, %v", names, err)
		}
		put(t, r, "g", "new")
		if b, err := os.ReadFile(filepath.Join(dir, "g")); string(b) != "new" {
			t.Errorf("made again it has %q, %v", b, err)
		}
		// A file in its place is no directory, and not nothing.
		must(t, os.RemoveAll(dir))
		must(t, os.WriteFile(dir, nil, 0o666))
		wantAllAway(t, r)
	})
}

func TestAnUploadIsNotPublishedInADirectoryThatIsNotServedAnyMore(t *testing.T) {
	bothTrees(t, func(t *testing.T, tree openFunc) {
		for name, away := range map[string]func(t *testing.T, dir string){
			"removed": func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) },
			"renamed": func(t *testing.T, dir string) { must(t, os.Rename(dir, dir+".old")) },
			"replaced": func(t *testing.T, dir string) {
				must(t, os.Rename(dir, dir+".old"))
				must(t, os.Mkdir(dir, 0o777))
			},
		} {
			t.Run(name, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "served")
				must(t, os.Mkdir(dir, 0o777))
				r := openDir(t, dir, tree, Options{})
				defer r.Close()
				s, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: "bob"})
				must(t, err)
				_, err = io.WriteString(s, "content")
				must(t, err)
				away(t, dir)
				_, err = s.Commit(t.Context(), modTime)
				wantAway(t, "Commit", err)
				_ = s.Abort()
				for _, d := range []string{dir, dir + ".old"} {
					if _, err := os.Stat(filepath.Join(d, "f")); err == nil {
						t.Errorf("it was published in %s", filepath.Base(d))
					}
				}
			})
		}
	})
}

// A mount can be taken away as long as nobody uses it.
func TestNothingIsHeldOpenBetweenCalls(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("the system does not tell which files are open")
	}
	bothTrees(t, func(t *testing.T, tree openFunc) {
		synctest.Test(t, func(t *testing.T) {
			for _, links := range []bool{false, true} {
				dir := t.TempDir()
				r := openDir(t, dir, tree, Options{CopyLinks: links})
				must(t, r.Mkdir(t.Context(), "d"))
				put(t, r, "d/f", "x")
				must(t, os.Symlink("f", filepath.Join(dir, "d", "link")))
				_, err := list(t, r, "d")
				must(t, err)
				for _, name := range []string{".", "d/f", "d/missing", "d/link", "missing/f"} {
					_, _ = r.Stat(t.Context(), name)
					if f, err := r.Open(t.Context(), name, 0, -1); err == nil {
						f.Close()
					}
				}
				must(t, r.SetMode(t.Context(), "d/f", 0o600))
				must(t, r.SetModTime(t.Context(), "d/f", modTime))
				must(t, r.Move(t.Context(), "d/f", "d/g"))
				_, err = r.Usage(t.Context())
				must(t, err)
				s, err := r.Stage(t.Context(), "d/kept", remote.StageOptions{Owner: "bob"})
				must(t, err)
				if len(openIn(t, dir)) == 0 {
					t.Fatal("the test does not see what is open")
				}
				must(t, s.Abort())
				time.Sleep(2 * linger)
				synctest.Wait()
				if open := openIn(t, dir); len(open) > 0 {
					t.Errorf("with links %v, open are %q", links, open)
				}
				_, err = r.Stat(t.Context(), ".")
				must(t, err)
				must(t, r.Close())
				if open := openIn(t, dir); len(open) > 0 {
					t.Errorf("after Close open are %q", open)
				}
			}
		})
	})
}

// openIn returns what of dir this process has open.
func openIn(t *testing.T, dir string) []string {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	var open []string
	for _, fd := range fds {
		to, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err == nil && (to == dir || strings.HasPrefix(to, dir+"/")) {
			open = append(open, to)
		}
	}
	return open
}

func TestNoCallAfterClose(t *testing.T) {
	bothTrees(t, func(t *testing.T, tree openFunc) {
		r := open(t, tree, Options{})
		must(t, r.Close())
		if _, err := r.Stat(t.Context(), "."); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Stat after Close: %v", err)
		}
	})
}
