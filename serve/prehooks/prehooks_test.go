package prehooks

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/hooks/settings"
	"ferry/remote/driver/local"
	"ferry/vfs"
)

// A stage is a tree on the local disk, and the hooks before it.
type stage struct {
	t     *testing.T
	dir   string // of the tree
	spool string
	under *vfs.FS
	hooks *Hooks
}

// newStage makes a tree with hooks: shell scripts, which get a name, and what they are asked.
func newStage(t *testing.T, list ...settings.Hook) *stage {
	t.Helper()
	st := &stage{t: t, dir: t.TempDir(), spool: filepath.Join(t.TempDir(), "check")}
	r, err := local.New(st.dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	st.under = vfs.New(r, vfs.Options{Log: log, Modes: vfs.Modes{File: 0o644, Dir: 0o755}})
	t.Cleanup(func() { st.under.Close() })
	if st.hooks, err = New(list, Options{Spool: st.spool, Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.hooks.Close)
	return st
}

// script is a hook that runs a shell script.
func script(text string, questions ...string) settings.Hook {
	return settings.Hook{Name: "test", Events: questions, Program: []string{"/bin/sh", "-c", text}}
}

var client = ftp.Client{Session: 7, Remote: netip.MustParseAddrPort("192.0.2.1:1234")}

// tree is what a user sees.
func (st *stage) tree(user string) ftp.FS {
	return st.hooks.Ask(st.hooks.Check(st.under.ViewFrom(user, "192.0.2.1"), client, user), client, user)
}

func (st *stage) write(name, text string) {
	st.t.Helper()
	if err := os.WriteFile(filepath.Join(st.dir, name), []byte(text), 0o600); err != nil {
		st.t.Fatal(err)
	}
}

func (st *stage) has(name, want string) {
	st.t.Helper()
	if got, err := os.ReadFile(filepath.Join(st.dir, name)); string(got) != want || (err != nil) != (want == "") {
		st.t.Errorf("%s is %q, %v, not %q", name, got, err, want)
	}
}

// send uploads text.
func send(tree ftp.FS, name string, off int64, text string) error {
	u, err := tree.Create(context.Background(), name, off)
	if err != nil {
		return err
	}
	defer u.Abort()
	if _, err := u.(io.ReaderFrom).ReadFrom(&io.LimitedReader{R: strings.NewReader(text), N: 1 << 30}); err != nil {
		return err
	}
	return u.Commit(context.Background())
}

// Who is not asked about gets the tree itself, and who is keeps every ability, and files as they
// are.
func TestAbilitiesStay(t *testing.T) {
	about := script("exit 0", preDownload, check)
	about.Users = []string{"ann"}
	st := newStage(t, about)
	if _, same := st.tree("bob").(*vfs.View); !same {
		t.Errorf("bob gets %T", st.tree("bob"))
	}
	ann := st.tree("ann")
	for name, able := range map[string]bool{
		"ModTimer": is[ftp.ModTimer](ann), "Moder": is[ftp.Moder](ann), "Hasher": is[ftp.Hasher](ann), "Sizer": is[ftp.Sizer](ann),
		"Spacer": is[ftp.Spacer](ann), "Permitter": is[ftp.Permitter](ann), "Keeper": is[ftp.Keeper](ann), "Placer": is[ftp.Placer](ann),
		"Limited": is[ftp.Limited](ann), "CaseFolder": is[ftp.CaseFolder](ann),
	} {
		if !able {
			t.Errorf("%T is no %s", ann, name)
		}
	}
	if err := send(ann, "f", 0, "text"); err != nil {
		t.Fatal(err)
	}
	rc, err := ann.Open(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if _, plain := rc.(*os.File); !plain {
		t.Errorf("a download is no file any more: %T", rc)
	}
	var none *Hooks
	if tree := none.Ask(none.Check(ann, client, "ann"), client, "ann"); tree != ann || none.Login(t.Context(), client, "ann") != nil {
		t.Error("no hooks change something")
	}
}

func is[T any](v any) bool {
	_, ok := v.(T)
	return ok
}

// Every way to do a thing is asked about.
func TestNoWayAround(t *testing.T) {
	st := newStage(t, script("exit 1", preLogin, preUpload, preDownload, preDelete, preRename))
	st.write("f", "text")
	tree, ctx := st.tree("ann"), t.Context()
	keeper, placer := tree.(ftp.Keeper), tree.(ftp.Placer)
	for name, call := range map[string]func() error{
		"login":         func() error { return st.hooks.Login(ctx, client, "ann") },
		"download":      func() error { _, err := tree.Open(ctx, "f", 0); return err },
		"upload":        func() error { _, err := tree.Create(ctx, "g", 0); return err },
		"append":        func() error { _, err := tree.Create(ctx, "f", ftp.AtEnd); return err },
		"new":           func() error { _, err := keeper.CreateNew(ctx, "g", 0, true); return err },
		"delete":        func() error { return tree.Remove(ctx, "f") },
		"rmdir":         func() error { return tree.Rmdir(ctx, "d") },
		"rename":        func() error { return tree.Rename(ctx, "f", "g") },
		"rename new":    func() error { return keeper.RenameNew(ctx, "f", "g", true) },
		"rename beside": func() error { _, err := placer.RenameBeside(ctx, "f", "g"); return err },
	} {
		err := call()
		want := fs.ErrPermission
		if name == "login" {
			want = ftp.ErrRefused
		}
		if !errors.Is(err, want) || !strings.Contains(err.Error(), "hook test") {
			t.Errorf("%s: %v", name, err)
		}
	}
	st.has("f", "text")
	st.has("g", "")
}

// What replaces a file while an upload goes on with it is not lost.
func TestAFileThatChangesMeanwhile(t *testing.T) {
	st := newStage(t, script("exit 0", check))
	st.write("f", "old")
	u, err := st.tree("ann").Create(t.Context(), "f", ftp.AtEnd)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	if _, err := u.Write([]byte(" and more")); err != nil {
		t.Fatal(err)
	}
	st.write("f", "another one")
	if err := u.Commit(t.Context()); !errors.Is(err, syscall.ESTALE) {
		t.Errorf("it is committed: %v", err)
	}
	u.Abort()
	st.has("f", "another one")
}

// What was cut off goes on after a restart, for its user alone; without what came before it cannot
// be checked, and is sent again.
func TestPartsOfCheckedUploads(t *testing.T) {
	st := newStage(t, script(`! grep -q BAD <&3`, check))
	cut := func(user, text string) {
		t.Helper()
		u, err := st.tree(user).Create(t.Context(), "f", 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		u.Abort()
	}
	cut("ann", "B")
	cut("bob", "x")
	var err error
	if st.hooks, err = New([]settings.Hook{script(`! grep -q BAD <&3`, check)}, Options{Spool: st.spool, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if err := send(st.tree("ann"), "f", 1, "AD"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("the sum of two parts is not checked: %v", err)
	}
	st.has("f", "")
	if _, err := st.tree("ann").Stat(t.Context(), "f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of what was refused a part remains: %v", err)
	}
	cut("ann", "G")
	if err := send(st.tree("ann"), "f", 1, "OOD"); err != nil {
		t.Error(err)
	}
	st.has("f", "GOOD")

	os.Remove(filepath.Join(st.dir, "f"))
	for _, name := range glob(t, st.spool, keptAs+"*") {
		os.Remove(name)
	}
	err = send(st.tree("bob"), "f", 1, "y")
	var hint interface{ Hint() string }
	if !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "from the beginning") {
		t.Errorf("what is not there is continued: %v", err)
	}
	if err := send(st.tree("bob"), "f", 0, "xy"); err != nil {
		t.Error(err)
	}
	st.has("f", "xy")
	if left := glob(t, st.spool, "*"); len(left) > 0 {
		t.Errorf("there are still %v", left)
	}
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Files of processes that were killed go when they are old; nothing else does.
func TestSpoolIsSwept(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-2 * spoolAge)
	for name, at := range map[string]time.Time{underWay + "1": old, keptAs + "2": old, underWay + "3": time.Now(), "other": old} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := openSpool(dir); err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, name := range glob(t, dir, "*") {
		left = append(left, filepath.Base(name))
	}
	if got := strings.Join(left, " "); got != "other "+underWay+"3" {
		t.Errorf("left are %s", got)
	}
}

// What a hook says is one harmless line, and its path stays in the tree.
func TestAnswersAreTamed(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", " a\r\n226 Done\n": "a  226 Done", "\x1b[2J": "[2J", "é\xff": "é ", strings.Repeat("x", 400): strings.Repeat("x", mostText),
	} {
		if got := tame(text); got != want && strings.TrimSpace(got) != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	for p, want := range map[string]string{
		"/a/b": "a/b", "/a/../../b": "b", "/": "", "a": "", "../a": "", "/a\r\nDELE b": "", "/a\x00": "", "": "",
	} {
		if got, ok := nameOf(p); ok != (want != "") || ok && got != want {
			t.Errorf("%q becomes %q, %v", p, got, ok)
		}
	}
}

// New hooks hold for sessions that begin; bad ones change nothing.
func TestSet(t *testing.T) {
	st := newStage(t, script("exit 1", preUpload))
	before := st.tree("ann")
	if err := st.hooks.Set([]settings.Hook{script("exit 0", preUpload), {Name: "bad", Events: []string{check}, Program: []string{"/none/such"}}}); err == nil {
		t.Error("a program that is not there is taken")
	}
	if err := send(st.tree("ann"), "f", 0, "x"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("after that it is %v", err)
	}
	if err := st.hooks.Set([]settings.Hook{script("exit 0", preUpload)}); err != nil {
		t.Fatal(err)
	}
	if err := send(before, "f", 0, "x"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a session before it: %v", err)
	}
	if err := send(st.tree("ann"), "f", 0, "x"); err != nil {
		t.Errorf("a session after it: %v", err)
	}
	if _, err := New([]settings.Hook{script("exit 0", check)}, Options{Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "--cache-dir") {
		t.Errorf("without a directory: %v", err)
	}
}
