package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"ferry/cmd/ferry/internal/logging"
)

func TestLooseFilesAreWarnedOf(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes")
	}
	dir := t.TempDir()
	var names []string
	for name, mode := range map[string]os.FileMode{"world": 0o644, "written": 0o660, "group": 0o640, "own": 0o600} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		names = append(names, path)
	}
	var b strings.Builder
	names = append(names, "", filepath.Join(dir, "missing"), dir)
	warnOfLooseFiles(t.Context(), slog.New(logging.NewText(&b, slog.LevelWarn)), names...)
	got := b.String()
	if strings.Count(got, "\n") != 2 || !strings.Contains(got, "world mode=0644") || !strings.Contains(got, "written mode=0660") {
		t.Errorf("the log says\n%s", got)
	}
}

// The warning is there when the program starts with such a file of secrets.
func TestLooseFilesAreWarnedOfAtTheStart(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes")
	}
	for flag, content := range map[string]string{
		"--config": "[m]\ntype = memory\n", "--users": "[users.bob]\nauth = 'none'\n", "--htpasswd": "bob:$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/\n",
		"--passwd": "bob:$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/:1:1::/bob:/bin/sh\n",
	} {
		t.Run(flag, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, 0o644); err != nil {
				t.Fatal(err)
			}
			r := start(t, nil, ":memory:", flag, path, "--addr", "127.0.0.1:0", "--passive-port", "0")
			r.url(t)
			r.waitFor(t, "others may read or change a file with secrets")
		})
	}
}
