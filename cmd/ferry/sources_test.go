package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
)

func TestANamedRemoteIsServed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "rclone.conf")
	text := "[here]\ntype = local\n\n[nick]\ntype = local\nno_such = 1\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		env  []string
		args []string
		log  string // what the log says, "" = nothing of it
	}{
		{"by the flag", nil, []string{"--config", file, "here:" + dir}, ""},
		{"by the environment", []string{"RCLONE_CONFIG=" + file}, []string{"here:" + dir}, ""},
		{"without a file", []string{"RCLONE_CONFIG=notfound", "RCLONE_CONFIG_ENV_TYPE=local"}, []string{"env:" + dir}, ""},
		{"on the spot", nil, []string{":local,copy_links:" + dir}, ""},
		{"with an unknown option", nil, []string{"--config", file, "nick:" + dir}, "no_such"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, tt.env, append([]string{"--addr", "127.0.0.1:0"}, tt.args...)...)
			r.url(t)
			if !strings.Contains(r.logged(), tt.log) || strings.Contains(r.logged(), "WARN") != (tt.log != "") {
				t.Errorf("the log:\n%s", r.logged())
			}
		})
	}
}

func TestAURLWithoutQuotes(t *testing.T) {
	for _, what := range []string{":s3,provider=Minio,endpoint=http://h:9000:bucket", ":http,url=https://h/dir:"} {
		status, _, stderr := runNow(t, nil, "serve", "ftp", what)
		if status != exitUsage || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "must be in quotes, as in ':"+what[1:3]) {
			t.Errorf("%s: status %d: %s", what, status, stderr)
		}
	}
}

func TestCheckCommand(t *testing.T) {
	dir := t.TempDir()
	status, stdout, stderr := runNow(t, nil, "check", dir)
	if status != exitOK || stderr != "" || !strings.Contains(stdout, "overwrite") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
	if status, stdout, _ := runNow(t, nil, "check", "--read-only", dir); status != exitOK || strings.Contains(stdout, "overwrite") {
		t.Errorf("status %d\n%s", status, stdout)
	}
	if status, _, stderr := runNow(t, nil, "check", filepath.Join(dir, "missing")); status != exitFailure || strings.Count(stderr, "\n") != 1 {
		t.Errorf("status %d\n%s", status, stderr)
	}
}

func TestHelpOfBackends(t *testing.T) {
	if status, stdout, _ := runNow(t, nil, "help", "backends"); status != exitOK || !strings.Contains(stdout, "s3") {
		t.Errorf("status %d\n%s", status, stdout)
	}
	status, stdout, _ := runNow(t, nil, "help", "backend", "s3")
	for _, want := range []string{"region", "--s3-region", "RCLONE_S3_REGION", "default"} {
		if status != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("status %d, %q is missing:\n%s", status, want, stdout)
		}
	}
}

func TestBackendFlagsReachTheRemote(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(dir, filepath.Join(dir, "link")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	o := &options{Options: flags.Options{Given: func(string) bool { return false }, Backend: map[string]string{"copy-links": "true"}}}
	l := &lazySources{options: o}
	s, err := l.resolve(t.Context(), dir)
	if err != nil || s.Values["copy_links"] != "true" {
		t.Errorf("%v, %v", s.Values["copy_links"], err)
	}
}

// Several commands have these flags, and share the options.
func TestBackendFlagsOfEachCommandReachTheRemote(t *testing.T) {
	for _, use := range []string{"serve", "check"} {
		o := &options{Options: flags.Options{Given: func(string) bool { return false }}}
		serve, check := process{}.serveFTPCommand(o), process{}.checkCommand(o) // in the order of the program
		commands := map[string]*cobra.Command{"serve": serve, "check": check}
		if err := commands[use].Flags().Set("local-sync", "true"); err != nil {
			t.Fatal(err)
		}
		s, err := (&lazySources{options: o}).resolve(t.Context(), t.TempDir())
		if err != nil || s.Values["sync"] != "true" {
			t.Errorf("%s: it is %q, %v", use, s.Values["sync"], err)
		}
	}
}
