package auth

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// write replaces a file by another one.
func write(t *testing.T, path, text string) {
	t.Helper()
	fresh := path + ".new"
	if err := os.WriteFile(fresh, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fresh, path); err != nil {
		t.Fatal(err)
	}
}

// knows reports whether a lets the user in.
func knows(t *testing.T, a Authenticator, user, password string) bool {
	t.Helper()
	id, err := a.Authenticate(t.Context(), Login{User: user, Password: password})
	if err != nil && !errors.Is(err, ErrDenied) {
		t.Errorf("%s, %s: %v", user, password, err)
	}
	if err == nil && (id.User != user || id.Owner != user) {
		t.Errorf("%s is %+v", user, id)
	}
	return err == nil
}

func TestHtpasswd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	write(t, path, "# comment\n\nbob:"+cheapHash(t, "builder")+"\r\nann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=:a comment\n")
	h, err := NewHtpasswd(path, NewVerifier(time.Minute, 0))
	if err != nil {
		t.Fatal(err)
	}
	check := func(user, password string, want bool) {
		t.Helper()
		for range 2 { // the second time it is remembered
			if knows(t, h, user, password) != want {
				t.Errorf("%s, %s: %v", user, password, !want)
			}
		}
	}
	check("bob", "builder", true)
	check("ann", "password", true)
	check("bob", "password", false)
	check("ann", "builder", false)
	check("eve", "builder", false)
	check("", "", false)

	write(t, path, "bob:"+cheapHash(t, "changed")+"\n")
	check("bob", "builder", false)
	check("bob", "changed", true)
	check("ann", "password", false)

	write(t, path, "bob:nonsense\n")
	check("bob", "changed", true)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	check("bob", "changed", true)
	check("bob", "builder", false)
}

func TestAChangeInPlaceIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	write(t, path, "bob:"+cheapHash(t, "one")+"\n")
	h, err := NewHtpasswd(path, NewVerifier(time.Minute, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("bob:"+cheapHash(t, "two")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if knows(t, h, "bob", "one") || !knows(t, h, "bob", "two") {
		t.Error("the old password counts")
	}
}

func TestNewHtpasswdRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"nobody": "# only a comment\n", "plain": "bob:builder\n", "no-colon": "bob\n", "no-user": ":" + cheapHash(t, "x"),
		"long-line": "bob:" + strings.Repeat("x", 1<<17),
	} {
		path := filepath.Join(dir, name)
		write(t, path, text)
		if _, err := NewHtpasswd(path, NewVerifier(time.Minute, 0)); err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "builder") {
			t.Errorf("%s: the error shows a secret: %v", name, err)
		}
	}
	if _, err := NewHtpasswd(filepath.Join(dir, "missing"), NewVerifier(0, 0)); err == nil {
		t.Error("a file that is not there: no error")
	}
	large := filepath.Join(dir, "large")
	write(t, large, "")
	if err := os.Truncate(large, maxUsersFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := NewHtpasswd(large, NewVerifier(0, 0)); err == nil {
		t.Error("a file that is too large: no error")
	}
}
