package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestWhatOthersMayWriteToIsNotUsed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it has no modes")
	}
	for _, tt := range []struct{ name, want string }{
		{"tls", "others may write to"}, {"tls/self-signed.pem", "others may read"}, {"vfs", "others may write to"},
	} {
		state := t.TempDir()
		args := []string{"serve", "ftp", ":memory:", "--addr", "127.0.0.1:0", "--tls", "self-signed", "--vfs-cache-mode", "writes"}
		env := []string{"STATE_DIRECTORY=" + state}
		if err := os.MkdirAll(filepath.Join(state, "tls"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(state, "vfs"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(state, "tls/self-signed.pem"), []byte("a key"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(state, tt.name), 0o777); err != nil {
			t.Fatal(err)
		}
		status, _, stderr := runNow(t, env, args...)
		if status != exitFailure || !strings.Contains(stderr, tt.want) || !strings.Contains(stderr, filepath.Join(state, tt.name)) {
			t.Errorf("%s: status %d: %s", tt.name, status, stderr)
		}
	}
}

func TestThePlaceIsTold(t *testing.T) {
	state := t.TempDir()
	r := startBare(t, []string{"STATE_DIRECTORY=" + state}, ":memory:", "--addr", "127.0.0.1:0", "--vfs-cache-mode", "writes", "--tls", "self-signed")
	r.url(t)
	for _, want := range []string{"dir=" + filepath.Join(state, "vfs"), "file=" + filepath.Join(state, "tls")} {
		if !strings.Contains(r.logged(), want) {
			t.Errorf("%s is missing:\n%s", want, r.logged())
		}
	}
}
