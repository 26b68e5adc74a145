package serve

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"ferry/auth"
	"ferry/ftp"
	"ferry/serve/quota"
)

// A mount has the options of its user but for its own.
func TestTheOptionsOfAMount(t *testing.T) {
	b := newBureau(t, `
[users.bob]
password = HASH
remote = "main"
cache_mode = "writes"
umask = "027"
[users.bob.mounts]
"/in" = { remote = "nas:scans", cache_mode = "off", encoding = "Slash" }
"/out" = "nas:out"
`)
	b.login(t, 1, "bob").Close()
	want := map[string]string{
		"main": "writes 027 ", "nas:out": "writes 027 ", "nas:scans": "off 027 Slash",
	}
	for _, w := range b.opened {
		got := w.Options["cache_mode"] + " " + w.Options["umask"] + " " + w.Options["encoding"]
		if got != want[w.Remote] {
			t.Errorf("%s has %q", w.Remote, got)
		}
	}
}

// The password goes to the remotes that ask for it, and nothing is made before they have let in.
func TestAMountThatLooksAtThePassword(t *testing.T) {
	b := newBureau(t, `
[users."*"]
auth = "remote"
remote = "home/{user}"
create_home = true
[users."*".mounts]
"/nas" = ":sftp,user={user},pass={password}:"
`)
	b.login(t, 1, "ann").Close()
	for _, w := range b.opened {
		if asks := strings.Contains(w.Remote, "{password}"); asks != (w.Password == "secret") {
			t.Errorf("%s was opened with %q", w.Remote, w.Password)
		}
	}
	b.opened, b.fail = nil, auth.ErrDenied
	if _, err := b.Login(t.Context(), client(2), "eve", "secret"); !errors.Is(err, ftp.ErrDenied) {
		t.Errorf("%v", err)
	}
	for _, w := range b.opened {
		if w.Create {
			t.Errorf("%s was opened for somebody who is not let in", w.Remote)
		}
	}
}

// What is in the mounts counts as what is in the remote.
func TestTheQuotaIsOfTheMountsToo(t *testing.T) {
	b := newBureau(t, `
[users.bob]
password = HASH
remote = "main"
mounts."/in" = "nas:scans"
quota_bytes = "10B"
quota_files = 2
`)
	b.Quota, b.Log = quota.NewStore(t.TempDir()), slog.New(slog.DiscardHandler)
	f := b.login(t, 1, "bob")
	defer f.Close()
	send := func(name, text string) error {
		u, err := f.Create(t.Context(), name, 0)
		if err != nil {
			return err
		}
		defer u.Abort()
		if _, err := io.WriteString(u, text); err != nil {
			return err
		}
		return u.Commit(t.Context())
	}
	if err := errors.Join(send("in/a", "12345"), send("b", "123")); err != nil {
		t.Fatal(err)
	}
	if err := send("in/c", "1"); !errors.Is(err, ftp.ErrQuota) {
		t.Errorf("a third file: %v", err)
	}
	if err := send("in/a", "12345678"); !errors.Is(err, ftp.ErrQuota) {
		t.Errorf("more bytes: %v", err)
	}
	if err := f.Remove(t.Context(), "in/a"); err != nil {
		t.Fatal(err)
	}
	if err := send("c", "1234567"); err != nil {
		t.Errorf("what was freed in the mount cannot be used: %v", err)
	}
}
