package auth

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

func TestHtpasswd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	write(t, path, "# comment\n\nbob:"+cheapHash(t, "builder")+"\r\nann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=:a comment\n")
	h, err := NewHtpasswd(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(user, password string, want bool) {
		t.Helper()
		for range 2 { // the second time it is remembered
			if h.Check(user, password) != want {
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
	h, err := NewHtpasswd(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("bob:"+cheapHash(t, "two")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if h.Check("bob", "one") || !h.Check("bob", "two") {
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
		if _, err := NewHtpasswd(path); err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "builder") {
			t.Errorf("%s: the error shows a secret: %v", name, err)
		}
	}
	if _, err := NewHtpasswd(filepath.Join(dir, "missing")); err == nil {
		t.Error("a file that is not there: no error")
	}
	large := filepath.Join(dir, "large")
	write(t, large, "")
	if err := os.Truncate(large, maxHtpasswd+1); err != nil {
		t.Fatal(err)
	}
	if _, err := NewHtpasswd(large); err == nil {
		t.Error("a file that is too large: no error")
	}
}

func TestProofsAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	write(t, path, "bob:"+cheapHash(t, "builder")+"\n")
	h, err := NewHtpasswd(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxProven {
		h.proven[proof{byte(i), byte(i >> 8)}] = struct{}{}
	}
	if !h.Check("bob", "builder") || len(h.proven) != 1 {
		t.Errorf("%d proofs are remembered", len(h.proven))
	}
}

// Hashes are derived a few at a time, however many passwords come.
func TestHashesAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	write(t, path, "bob:"+cheapHash(t, "builder")+"\n")
	synctest.Test(t, func(t *testing.T) {
		h, err := NewHtpasswd(path)
		if err != nil {
			t.Fatal(err)
		}
		var now, most atomic.Int32
		h.verify = func(string, string) (bool, error) {
			n := now.Add(1)
			defer now.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(time.Second)
			return false, nil
		}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { h.Check("bob", "wrong") })
		}
		all.Wait()
		if want := int32(max(runtime.GOMAXPROCS(0)/2, 1)); most.Load() != want {
			t.Errorf("%d at a time, want %d", most.Load(), want)
		}
	})
}
