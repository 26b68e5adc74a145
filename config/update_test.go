package config

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// oneAtATime is a lock that works within a test.
func oneAtATime() Lock {
	var mu sync.Mutex
	return func(context.Context, string) (func(), error) {
		mu.Lock()
		return mu.Unlock, nil
	}
}

// Two that have the same file open see what the other has written, and lose nothing of it, also
// where the file is encrypted.
func TestUpdateFromSeveralFiles(t *testing.T) {
	for _, password := range []string{"", "potato"} {
		path := filepath.Join(t.TempDir(), "rclone.conf")
		write(t, path, "# mine\n[a]\ntype = x\nn = 0\nother = 1\n\n[b]\ntype = y\n")
		lock, passwords := oneAtATime(), Passwords{Env: Environ{PasswordVariable: password}}
		var files []*File
		for range 4 {
			f, err := Open(t.Context(), path, passwords)
			if err != nil {
				t.Fatal(err)
			}
			f.LockWith(lock)
			if password != "" && len(files) == 0 {
				if err := f.Encrypt(t.Context(), password); err != nil {
					t.Fatal(err)
				}
			}
			files = append(files, f)
		}
		var wg sync.WaitGroup
		for _, f := range files {
			wg.Go(func() {
				for range 8 {
					err := f.Update(t.Context(), "a", "n", func(n string) (string, error) {
						var i int
						_, err := fmt.Sscan(n, &i)
						return fmt.Sprint(i + 1), err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if text := read(t, path); password != "" && strings.Contains(text, "mine") {
			t.Error("the file is not encrypted any more")
		}
		f, err := Open(t.Context(), path, passwords)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(f.doc.Bytes()), "# mine\n[a]\ntype = x\nn = 32\nother = 1\n\n[b]\ntype = y\n"; got != want {
			t.Errorf("password %q: the file says %q", password, got)
		}
	}
}

// A program that does not lock writes while the new value is made.
func TestUpdateComparesBeforeItWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rclone.conf")
	write(t, path, "[a]\nn = 0\n")
	f, err := Open(t.Context(), path, Passwords{})
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	err = f.Update(t.Context(), "a", "n", func(n string) (string, error) {
		if seen = append(seen, n); len(seen) == 1 {
			write(t, path, "[a]\nn = 7\n[b]\nm = 1\n")
		}
		return n + "!", nil
	})
	if got := read(t, path); err != nil || got != "[a]\nn = 7!\n[b]\nm = 1\n" || strings.Join(seen, " ") != "0 7" {
		t.Errorf("the file says %q; seen was %v; %v", got, seen, err)
	}
	calls := 0
	err = f.Update(t.Context(), "a", "n", func(string) (string, error) {
		calls++
		write(t, path, fmt.Sprintf("[a]\nn = %d\n", calls))
		return "x", nil
	})
	checkError(t, "a value that never rests", err, "all the time")
	failed := errors.New("failed")
	before := read(t, path)
	if err := f.Update(t.Context(), "a", "n", func(string) (string, error) { return "y", failed }); err != failed || read(t, path) != before {
		t.Errorf("a change that fails: %v", err)
	}
	checkError(t, "no section", f.Update(t.Context(), "gone", "n", func(string) (string, error) { return "x", nil }), "gone")
	f.LockWith(func(context.Context, string) (func(), error) { return nil, failed })
	if err := f.Edit(t.Context(), func(*Draft) error { return nil }); !errors.Is(err, failed) {
		t.Errorf("a lock that is not to be had: %v", err)
	}
}

// An option stands where it was inherited from, and nowhere if it is not in the file.
func TestSectionsOfSettings(t *testing.T) {
	s := sources(t, "[DEFAULT]\nx = 1\n[nas]\ntype = sftp\nhost = h\n[nas.two]\nport = 7\nkey_file = %(x)s\n")
	s.Env["RCLONE_CONFIG_NAS_HOST"] = "other"
	set, err := s.Resolve(remoteString(t, "nas.two:"))
	if err != nil || set.Sections["host"] != "nas" || set.Sections["port"] != "nas.two" || set.Sections["key_file"] != "" {
		t.Errorf("the sections are %v; %v", set.Sections, err)
	}
	if set, err = s.Resolve(remoteString(t, "nas:")); err != nil || set.Sections["host"] != "" {
		t.Errorf("the sections are %v; %v", set.Sections, err)
	}
}
