package smb

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/samba"
)

func names(t *testing.T, r remote.Remote, dir string) string {
	t.Helper()
	got, _, err := remotetest.ListOmitting(t.Context(), r, dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return strings.Join(got, " ")
}

func put(t *testing.T, r remote.Remote, name, content string) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestTheServerListsItsShares(t *testing.T) {
	s := samba.Start(t)
	o := options(t, s, s.Addr)
	r := openRemote(t, "", o)
	defer r.Close()
	if got := names(t, r, "."); got != "files other" {
		t.Errorf("the shares are %q", got)
	}
	o.ShowSpecial = true
	all := openRemote(t, "/", o)
	defer all.Close()
	if got := names(t, all, "."); got != "files hidden$ other" {
		t.Errorf("all shares are %q", got)
	}
	put(t, r, "files/f", "content")
	if got := names(t, r, "files"); got != "f" {
		t.Errorf("the share has %q", got)
	}
	if err := r.Move(t.Context(), "files/f", "other/g"); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("Move to another share: %v", err)
	}
	if err := remote.Move(t.Context(), r, "files/f", "other/g"); err != nil {
		t.Error(err)
	}
	if got := content(t, r, "other/g"); got != "content" {
		t.Errorf("%q", got)
	}
	if _, err := r.Stat(t.Context(), "none"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("a share that is not there: %v", err)
	}
	if _, err := r.Usage(t.Context()); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("Usage of the server: %v", err)
	}
}

func TestSharesCannotBeChanged(t *testing.T) {
	s := samba.Start(t)
	r := openRemote(t, "", options(t, s, s.Addr))
	defer r.Close()
	ctx := t.Context()
	_, putErr := r.Put(ctx, "new", strings.NewReader("x"), remote.PutOptions{})
	_, stageErr := r.Stage(ctx, "new", remote.StageOptions{Owner: "o"})
	_, overErr := r.Put(ctx, "files", strings.NewReader("x"), remote.PutOptions{})
	_, readErr := r.Open(ctx, "files", 0, -1)
	put(t, r, "files/f", "x")
	got := map[string]error{
		"Put": putErr, "Stage": stageErr, "Mkdir": r.Mkdir(ctx, "new"), "Rmdir": r.Rmdir(ctx, "files"),
		"Move": r.Move(ctx, "files", "gone"), "Move into": r.Move(ctx, "files/f", "new"),
		"Put over": overErr, "Open": readErr, "Remove": r.Remove(ctx, "files"), "Mkdir over": r.Mkdir(ctx, "files"),
	}
	want := map[string]error{
		"Put over": remote.ErrIsDir, "Open": remote.ErrIsDir, "Remove": remote.ErrIsDir, "Mkdir over": remote.ErrExist,
	}
	for _, call := range slices.Sorted(maps.Keys(got)) {
		w := want[call]
		if w == nil {
			w = remote.ErrPermission
		}
		if !errors.Is(got[call], w) {
			t.Errorf("%s: %v, want %v", call, got[call], w)
		}
	}
	if got := content(t, r, "files/f"); got != "x" {
		t.Errorf("%q", got)
	}
}

func TestWhoIsNotLetInIsTold(t *testing.T) {
	s := samba.Start(t)
	o := options(t, s, s.Addr)
	o.Password = "geheim"
	r := openRemote(t, "files", o)
	defer r.Close()
	_, err := r.Stat(t.Context(), ".")
	if !errors.Is(err, remote.ErrPermission) || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "does not let") {
		t.Errorf("%v", err)
	}
}
