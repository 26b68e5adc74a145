package compress_test

import (
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/compress"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
)

// recorded opens a copy of the files that rclone 1.76 has stored.
func recorded(t *testing.T) (*compress.Remote, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/rclone")); err != nil {
		t.Fatal(err)
	}
	disk, err := local.New(dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return compress.New(disk), dir
}

func log() string {
	var b strings.Builder
	for i := 1; i <= 30000; i++ {
		fmt.Fprintf(&b, "line %d of a text that repeats itself, as logs do\n", i%7)
	}
	return b.String()
}

func read(t *testing.T, r remote.Remote, name string, off, n int64) (string, error) {
	t.Helper()
	body, err := r.Open(t.Context(), name, off, n)
	if err != nil {
		return "", err
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	return string(b), err
}

func TestItIsARemote(t *testing.T) {
	remotetest.Run(t, func(t *testing.T) remote.Remote { return compress.New(memory.New()) })
}

func TestFilesOfRclone(t *testing.T) {
	r, _ := recorded(t)
	defer r.Close()
	var all []string
	for dir, prefix := range map[string]string{".": "", "sub": "sub/"} {
		for e, err := range r.List(t.Context(), dir) {
			if err != nil {
				t.Fatal(err)
			}
			s, err := r.Stat(t.Context(), prefix+e.Name)
			if s.Digest, s.Version = "", ""; err != nil || s != e {
				t.Errorf("List %+v, Stat %+v, %v", e, s, err)
			}
			if !e.Dir {
				all = append(all, fmt.Sprint(prefix, e.Name, " ", e.Size))
			}
		}
	}
	slices.Sort(all)
	if got := strings.Join(all, "|"); got != "empty 0|log 1470000|short 11|sub/x.json 11" {
		t.Errorf("listed: %s", got)
	}
	text := log()
	for _, at := range [][2]int64{{0, -1}, {1, 10}, {1 << 20, 5}, {1<<20 - 3, 7}, {1469990, -1}, {1470000, -1}, {2000000, 4}, {17, 0}} {
		start, end := min(at[0], 1470000), int64(1470000)
		if at[1] >= 0 {
			end = min(end, start+at[1])
		}
		if got, err := read(t, r, "log", at[0], at[1]); err != nil || got != text[start:end] {
			t.Errorf("from %d, %d bytes: %d bytes, %v", at[0], at[1], len(got), err)
		}
	}
	for name, want := range map[string]string{"short": "short text\n", "sub/x.json": "short text\n", "empty": ""} {
		if got, err := read(t, r, name, 0, -1); got != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if sum, err := remote.Hash(t.Context(), r, "log", "md5"); err != nil || [16]byte(sum) != md5.Sum([]byte(text)) {
		t.Errorf("MD5 %x, %v", sum, err)
	}
	for _, name := range []string{"short.bin", "short.json", "log.json", "nothing"} {
		if _, err := r.Stat(t.Context(), name); !errors.Is(err, remote.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is damaged, what comes is the beginning of the file, and then an error.
func TestADamagedFileIsNotRead(t *testing.T) {
	text := log()
	r, dir := recorded(t)
	defer r.Close()
	name := filepath.Join(dir, "log.MG4WAAAAAAA.gz")
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, length := range []int{0, 9, 10, 11, 4000, 4670, 5000, len(good) - 20} {
		if err := os.WriteFile(name, good[:length], 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := read(t, r, "log", 0, -1); err == nil || !strings.HasPrefix(text, got) || !remote.Permanent(err) {
			t.Errorf("cut at %d: %d bytes, %v", length, len(got), err)
		}
	}
	side := filepath.Join(dir, "log.json")
	if err := os.WriteFile(name, good, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{
		"", "{}x", `{"Mode":2,"Size":1470000}`, `{"Mode":2,"Size":1470000,"CompressionMetadataGzip":{"BlockSize":0,"BlockData":[10]}}`,
		`{"Mode":2,"Size":1470000,"CompressionMetadataGzip":{"BlockSize":1048576,"BlockData":[10,-4660,1927]}}`,
		`{"Mode":2,"Size":1470000,"CompressionMetadataGzip":{"BlockSize":1048576,"BlockData":[10,4660]}}`, `{"Mode":7,"Size":1}`, `{"Mode":0,"Size":-1}`,
	} {
		if err := os.WriteFile(side, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := read(t, r, "log", 0, -1); err == nil || errors.Is(err, remote.ErrNotExist) {
			t.Errorf("%s: %d bytes, %v", content, len(got), err)
		}
	}
}
