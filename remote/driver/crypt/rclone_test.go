package crypt_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/crypt"
	"ferry/remote/driver/crypt/cipher"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest/servers"
)

// The password and the salt of the trees, and how rclone writes them in its configuration.
const (
	password, obscuredPassword = "potato", "5uzT63CwWfyXz6A1U1hhD1pu_WDtvg"
	salt, obscuredSalt         = "sausage", "jc12SEtwohYjIJfAoeKrv81mbsoE7lw"
)

// A setting is a way to encrypt, in the words of rclone's configuration and in ours.
type setting struct {
	options string
	salted  bool
	o       crypt.Options
}

func settings(t *testing.T) []setting {
	t.Helper()
	plain, err := cipher.DeriveKeys(password, "")
	salted, saltedErr := cipher.DeriveKeys(password, salt)
	if err != nil || saltedErr != nil {
		t.Fatal(err, saltedErr)
	}
	all := ways()
	for i := range all {
		all[i].o.Keys = plain
		if all[i].salted {
			all[i].o.Keys = salted
		}
	}
	return all
}

func ways() []setting {
	obfuscated := cipher.Options{Names: cipher.Obfuscate}
	plainDirs := cipher.Options{PlainDirs: true}
	return []setting{
		{options: "filename_encryption=standard"},
		{options: "filename_encryption=standard", salted: true},
		{options: "filename_encoding=base64", o: crypt.Options{Names: cipher.Options{Encoding: "base64"}}},
		{options: "filename_encoding=base32768", o: crypt.Options{Names: cipher.Options{Encoding: "base32768"}}},
		{options: "directory_name_encryption=false", o: crypt.Options{Names: plainDirs}},
		{options: "filename_encryption=obfuscate", o: crypt.Options{Names: obfuscated}},
		{options: "filename_encryption=obfuscate,directory_name_encryption=false", o: crypt.Options{Names: cipher.Options{Names: cipher.Obfuscate, PlainDirs: true}}},
		{options: "filename_encryption=off", o: crypt.Options{Names: cipher.Options{Names: cipher.Off}}},
		{options: "filename_encryption=off,suffix=none", salted: true, o: crypt.Options{Names: cipher.Options{Names: cipher.Off, Suffix: "none"}}},
		{options: "filename_encryption=off,suffix=jpg", o: crypt.Options{Names: cipher.Options{Names: cipher.Off, Suffix: "jpg"}}},
		{options: "no_data_encryption=true", o: crypt.Options{PlainData: true}},
	}
}

func (s setting) name() string {
	if s.salted {
		return s.options + ",password2"
	}
	return s.options
}

// on returns our remote in below.
func (s setting) on(t *testing.T, below remote.Remote) remote.Remote {
	t.Helper()
	r, err := crypt.New(below, s.o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// files are what the trees hold: by name, how long they are.
func files(large bool) map[string]int {
	all := map[string]int{
		"a": 0, "b c.txt": 1, "Grüße.txt": 16, "dir/sub/x": 17, "dir/!bang!": 100, "1-v2001-02-03-040506-123.txt": 3, "ÿÀ¡¿.x": 4,
		"日本語 \U0001F4F7.txt": 5, "UPPER lower 0123456789 ~_-+=(){}[]": 6, strings.Repeat("long ", 20) + "name.txt": 7,
		// Those have pictures of control characters in base32768, and when they are obfuscated.
		"2111.txt": 12, "3592.txt": 13, "4632.txt": 14, "⓪13⓿": 15, "⓪15⓿": 16, "⓪1003⓿": 17,
		"v-v2001-99-03-040506-123.txt": 8, "dir.with.dots/.hidden": 9, "123456789012345": 10, "1234567890123456": 11,
	}
	if large {
		maps.Copy(all, map[string]int{"block": cipher.BlockData, "more": cipher.BlockData + 1})
	}
	return all
}

// holds checks that r holds the files and nothing else.
func holds(t *testing.T, r remote.Remote, want map[string]int) {
	t.Helper()
	var found []string
	var walk func(dir string)
	walk = func(dir string) {
		for e, err := range r.List(t.Context(), dir) {
			if err != nil {
				t.Error(err)
				return
			}
			name := remote.Join(dir, e.Name)
			if e.Dir {
				walk(name)
				continue
			}
			found = append(found, name)
			size, ok := want[name]
			if b, err := get(t.Context(), r, name, 0, -1); ok && (err != nil || !bytes.Equal(b, content(size)) || e.Size != int64(size)) {
				t.Errorf("%q: %d bytes of %d, %v", name, len(b), size, err)
			}
		}
	}
	walk(".")
	slices.Sort(found)
	if all := slices.Sorted(maps.Keys(want)); !slices.Equal(found, all) {
		t.Errorf("there are\n%q, want\n%q", found, all)
	}
}

// recorded is what rclone wrote: for each setting the files, by their names below.
const recorded = "testdata/rclone.json"

// TestWhatRcloneWrote reads trees that rclone 1.76.0 wrote, and wants to write the same names and,
// under the same nonces, the same bytes.
func TestWhatRcloneWrote(t *testing.T) {
	b, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	var trees map[string]map[string][]byte
	if err := json.Unmarshal(b, &trees); err != nil {
		t.Fatal(err)
	}
	for i, s := range settings(t) {
		t.Run(s.name(), func(t *testing.T) {
			theirs := memory.New()
			for name, b := range trees[s.name()] {
				mkdirs(t, theirs, name)
				put(t, theirs, name, b)
			}
			want := files(i == 0)
			holds(t, s.on(t, theirs), want)
			wantSame(t, s, trees[s.name()], want)
		})
	}
}

func mkdirs(t *testing.T, r remote.Remote, name string) {
	t.Helper()
	if dir, _ := remote.Split(name); dir != "." {
		mkdirs(t, r, dir)
		if err := r.Mkdir(t.Context(), dir); err != nil && !errors.Is(err, remote.ErrExist) {
			t.Fatal(err)
		}
	}
}

// wantSame writes the files, and compares what is below with what rclone wrote.
func wantSame(t *testing.T, s setting, theirs map[string][]byte, want map[string]int) {
	t.Helper()
	below := memory.New()
	ours := s.on(t, below)
	c, err := cipher.New(s.o.Keys, s.o.Names)
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range want {
		mkdirs(t, ours, name)
		put(t, ours, name, content(size))
	}
	for name, b := range theirs {
		got, err := get(t.Context(), below, name, 0, -1)
		if err != nil || len(got) != len(b) {
			t.Errorf("%q: rclone wrote %d bytes, we %d, %v", name, len(b), len(got), err)
			continue
		}
		if s.o.PlainData {
			continue
		}
		size, _ := cipher.PlainSize(int64(len(b)))
		if again := encrypted(t, c, content(int(size)), b[:cipher.HeaderSize]); !bytes.Equal(again, b) {
			t.Errorf("%q is other bytes under the same nonce", name)
		}
	}
}

// encrypted is a file of plain under the nonce of a header.
func encrypted(t *testing.T, c *cipher.Cipher, plain, header []byte) []byte {
	t.Helper()
	nonce, err := cipher.ParseHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	b := cipher.AppendHeader(nil, nonce)
	for i := uint64(0); len(plain) > 0; i++ {
		n := min(len(plain), cipher.BlockData)
		b = c.Seal(b, plain[:n], nonce.Add(i))
		plain = plain[n:]
	}
	return b
}

// TestATreeThatIsSharedWithRclone lets rclone write what we read, and the other way round. With
// FERRY_RECORD set, what rclone writes becomes the recorded trees.
func TestATreeThatIsSharedWithRclone(t *testing.T) {
	bin := servers.Rclone(t)
	trees := map[string]map[string][]byte{}
	for i, s := range settings(t) {
		t.Run(s.name(), func(t *testing.T) {
			want := files(i == 0)
			plain, theirs, ours, back := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
			for name, size := range want {
				path := filepath.Join(plain, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, content(size), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s.rclone(t, bin, "copy", plain, theirs, true)
			r := s.on(t, onDisk(t, theirs))
			holds(t, r, want)
			trees[s.name()] = readTree(t, theirs)

			r = s.on(t, onDisk(t, ours))
			for name, size := range want {
				mkdirs(t, r, name)
				put(t, r, name, content(size))
			}
			s.rclone(t, bin, "copy", ours, back, false)
			holds(t, onDisk(t, back), want)
		})
	}
	if os.Getenv("FERRY_RECORD") != "" && !t.Failed() {
		b, err := json.MarshalIndent(trees, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(recorded, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// rclone copies from one directory to another, of which one is encrypted.
func (s setting) rclone(t *testing.T, bin, verb, from, to string, encrypts bool) {
	t.Helper()
	crypted := func(dir string) string {
		options := s.options + ",password=" + obscuredPassword
		if s.salted {
			options += ",password2=" + obscuredSalt
		}
		return `:crypt,remote="` + dir + `",` + options + ":"
	}
	if encrypts {
		to = crypted(to)
	} else {
		from = crypted(from)
	}
	cmd := exec.Command(bin, verb, from, to)
	cmd.Env = []string{"RCLONE_CONFIG=notfound", "HOME=" + t.TempDir()}
	done := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer done.Stop()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("rclone %s: %v: %s", s.name(), err, out)
	}
}

func onDisk(t *testing.T, dir string) remote.Remote {
	t.Helper()
	r, err := local.New(dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func readTree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	tree := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		tree[path], err = os.ReadFile(filepath.Join(dir, path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}
