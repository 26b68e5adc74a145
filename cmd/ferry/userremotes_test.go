package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const cannotBeUsed = "a remote of the users cannot be used"

// warned are the lines about remotes that cannot be used.
func (r *running) warned() (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.log {
		if strings.Contains(line, cannotBeUsed) {
			lines = append(lines, line)
		}
	}
	return lines
}

// waitForWarnings waits until there are n of these lines.
func (r *running) waitForWarnings(t *testing.T, n int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for strings.Count(strings.Join(r.log, "\n"), cannotBeUsed) < n {
		if r.ended {
			t.Fatalf("%d lines are missing:\n%s", n, strings.Join(r.log, "\n"))
		}
		r.grown.Wait()
	}
}

// Remotes that are not in the configuration are told at the start, when the file changes, and when
// somebody has it read again. Other users are served.
func TestRemotesOfUsersThatAreNotThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	conf, file := filepath.Join(dir, "rclone.conf"), filepath.Join(dir, "users.toml")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const good = "[users.good]\nremote = \":memory:\"\n"
	write(conf, "[there]\ntype = memory\n")
	write(file, good+`
[users.a]
remote = "nosuch:x"
[users.b]
remote = "nosuch:x"
[users.c.mounts]
"/in" = "gone:"
[users.there]
remote = "there:"
`)
	r := start(t, []string{"RCLONE_CONFIG=" + conf}, "--users", file, "--addr", "127.0.0.1:0")
	r.waitForWarnings(t, 3)
	lines := r.warned()
	if len(lines) != 3 {
		t.Errorf("it is said: %q", lines)
	}
	for i, want := range []string{"users.toml:5:", "users.toml:7:", "users.toml:9:"} {
		if i < len(lines) && (!strings.Contains(lines[i], want) || !strings.Contains(lines[i], "ferry listremotes")) {
			t.Errorf("%q lacks %q, or what to do", lines[i], want)
		}
	}

	write(file, good+"[users.a]\nremote = \"other:x\"\n") // and nothing else
	r.signals <- syscall.SIGHUP
	r.waitForWarnings(t, 4)
	if lines = r.warned(); len(lines) != 4 {
		t.Errorf("it is said: %q", lines)
	}
	r.signals <- syscall.SIGHUP // the file is as it was, and the configuration could be another one
	r.waitForWarnings(t, 5)
	write(conf, "[other]\ntype = memory\n")
	write(file, good+"[users.a]\nremote = \"other:y\"\n")
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "read the users again")
	if lines = r.warned(); len(lines) != 5 {
		t.Errorf("it is said: %q", lines)
	}
}
