package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// write puts text into the file at path as an editor would, and makes sure that its time is another
// one.
func write(t *testing.T, path, text string) {
	t.Helper()
	old, statErr := os.Stat(path)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if statErr == nil {
		later := old.ModTime().Add(time.Second)
		if err := os.Chtimes(path, later, later); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func open(t *testing.T, path string, p Passwords) *File {
	t.Helper()
	f, err := Open(t.Context(), path, p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// value returns what f says now.
func value(t *testing.T, f *File, section, key string) string {
	t.Helper()
	d, err := f.Document(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v, _ := d.Get(section, key)
	return v
}

func set(section, key, value string) func(*Draft) error {
	return func(d *Draft) error { return d.Set(section, key, value) }
}

func TestFileIsReadAgainWhenItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rclone.conf")
	write(t, path, "[a]\nk = 1\n")
	f := open(t, path, Passwords{})
	if got := value(t, f, "a", "k"); got != "1" {
		t.Errorf("k is %q", got)
	}
	write(t, path, "[a]\nk = 2\n")
	if got := value(t, f, "a", "k"); got != "2" {
		t.Errorf("after another time k is %q", got)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, "[a]\nk = 33\n")
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if got := value(t, f, "a", "k"); got != "33" {
		t.Errorf("after another size k is %q", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := value(t, f, "a", "k"); got != "33" {
		t.Errorf("after the file was removed k is %q", got)
	}
}

func TestABrokenChangeKeepsWhatWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rclone.conf")
	write(t, path, "[a]\nk = 1\n")
	f := open(t, path, Passwords{})
	write(t, path, "[a]\nhunter2\n")
	for range 2 {
		d, err := f.Document(t.Context())
		checkError(t, "broken file", err, path+": line 2")
		if got, _ := d.Get("a", "k"); got != "1" {
			t.Errorf("k is %q", got)
		}
	}
	checkError(t, "edit of a broken file", f.Edit(t.Context(), set("a", "k", "2")), "line 2")
	if got := read(t, path); got != "[a]\nhunter2\n" {
		t.Errorf("the broken file was overwritten: %q", got)
	}
	write(t, path, "[a]\nk = 3\n")
	if got := value(t, f, "a", "k"); got != "3" {
		t.Errorf("after it was mended k is %q", got)
	}
}

func TestOpenRefusesABrokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rclone.conf")
	write(t, path, "x")
	_, err := Open(t.Context(), path, Passwords{})
	checkError(t, "Open", err, path+": line 1")
	_, err = Open(t.Context(), filepath.Dir(path), Passwords{})
	if err == nil {
		t.Error("a directory was opened")
	}
}

func TestAMissingFileIsMadeByTheFirstEdit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "dir", "rclone.conf")
	f := open(t, path, Passwords{})
	if f.Exists() || f.Path() != path {
		t.Errorf("exists is %v at %s", f.Exists(), f.Path())
	}
	if err := f.Edit(t.Context(), set("a", "type", "memory")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "[a]\ntype = memory\n" || !f.Exists() {
		t.Errorf("the file is %q", got)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
}

func TestConfigurationInMemory(t *testing.T) {
	for _, path := range []string{"", os.DevNull, "notfound", filepath.Join(t.TempDir(), "notfound")} {
		f := open(t, path, Passwords{})
		if err := f.Edit(t.Context(), set("a", "k", "v")); err != nil {
			t.Errorf("%q: %v", path, err)
		}
		if got := value(t, f, "a", "k"); got != "v" || f.Path() != "" || f.Exists() {
			t.Errorf("%q: k is %q, the path %q, exists %v", path, got, f.Path(), f.Exists())
		}
	}
	if _, err := os.Stat("notfound"); err == nil {
		t.Error("a file called notfound was made")
	}
}

func TestEditFollowsWhatOthersWrote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rclone.conf")
	write(t, path, "[a]\nk = 1\n")
	f := open(t, path, Passwords{})
	write(t, path, "[b]\nl = 2\n")
	if err := f.Edit(t.Context(), set("b", "m", "3")); err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, path), "[b]\nl = 2\nm = 3\n"; got != want {
		t.Errorf("the file is %q, want %q", got, want)
	}
}

func TestAFailedEditChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rclone.conf")
	write(t, path, "[a]\nk = 1\n")
	f := open(t, path, Passwords{})
	mine := errors.New("mine")
	err := f.Edit(t.Context(), func(d *Draft) error {
		d.DeleteSection("a")
		return mine
	})
	if !errors.Is(err, mine) {
		t.Errorf("the error is %v", err)
	}
	if got := value(t, f, "a", "k"); got != "1" || read(t, path) != "[a]\nk = 1\n" {
		t.Errorf("k is %q, the file %q", got, read(t, path))
	}
}

func TestEncryptedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rclone.conf")
	write(t, path, rcloneEncrypted)
	_, err := Open(t.Context(), path, Passwords{})
	checkError(t, "without a password", err, path+": the file is encrypted")
	f := open(t, path, Passwords{Env: Environ{PasswordVariable: "asdf"}})
	if got := value(t, f, "nounc", "type"); got != "local" || !f.Encrypted() {
		t.Errorf("type is %q, encrypted %v", got, f.Encrypted())
	}
	if err := f.Edit(t.Context(), set("nounc", "type", "memory")); err != nil {
		t.Fatal(err)
	}
	text := read(t, path)
	if !strings.HasPrefix(text, "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\n") || strings.Contains(text, "memory") {
		t.Errorf("after an edit the file is %q", text)
	}
	if err := f.Encrypt(t.Context(), "new"); err != nil {
		t.Fatal(err)
	}
	again := open(t, path, Passwords{Env: Environ{PasswordVariable: "new"}})
	if got := value(t, again, "nounc", "type"); got != "memory" {
		t.Errorf("with the new password type is %q", got)
	}
	if err := again.Decrypt(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := value(t, f, "nounc", "type"); got != "memory" || f.Encrypted() {
		t.Errorf("after it was decrypted by another type is %q, encrypted %v", got, f.Encrypted())
	}
	checkError(t, "an empty password", f.Encrypt(t.Context(), " "), "empty")
}

func TestAnotherPasswordOfAChangedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rclone.conf")
	write(t, path, rcloneEncrypted)
	f := open(t, path, Passwords{Env: Environ{PasswordVariable: "asdf"}})
	write(t, path, string(key(t, "other").seal([]byte("[a]\nk = 1\n"))))
	d, err := f.Document(t.Context())
	checkError(t, "a file with another password", err, "wrong password")
	if got, _ := d.Get("nounc", "type"); got != "local" {
		t.Errorf("type is %q", got)
	}
}

func TestFileIsUsedByMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rclone.conf")
	f := open(t, path, Passwords{})
	var all sync.WaitGroup
	for i := range 8 {
		name := "r" + string(rune('0'+i))
		all.Go(func() {
			if err := f.Edit(t.Context(), set(name, "type", "memory")); err != nil {
				t.Error(err)
			}
			if d, err := f.Document(t.Context()); err != nil || !d.Has(name) {
				t.Errorf("%s is not there: %v", name, err)
			}
		})
	}
	all.Wait()
	if got := len(parse(t, read(t, path)).Sections()); got != 8 {
		t.Errorf("%d sections, want 8", got)
	}
}
