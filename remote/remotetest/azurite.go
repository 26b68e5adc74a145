package remotetest

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// azurite is the emulator of Azure's blobs, with its version: a package of npm.
const azurite = "azurite@3.35.0"

// installTime is how long the installation may take.
const installTime = 5 * time.Minute

// StartAzurite starts the emulator on a port of its own. It keeps everything in memory and ends with the test. It is
// installed once and kept in the user's cache; where that is not possible, the test is skipped.
func StartAzurite(t *testing.T) (endpoint string) {
	t.Helper()
	cmd := exec.Command("node", installAzurite(t), "--blobPort", "0", "--inMemoryPersistence", "--skipApiVersionCheck",
		"--disableTelemetry")
	cmd.Dir = t.TempDir()
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		_, address, ok := strings.Cut(lines.Text(), "successfully listens on ")
		if !ok {
			continue
		}
		read := make(chan struct{})
		go func() { // a log that nobody reads would stop it
			defer close(read)
			_, _ = io.Copy(io.Discard, out)
		}()
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			<-read
			_ = cmd.Wait()
		})
		return strings.TrimSpace(address) + "/devstoreaccount1"
	}
	_ = cmd.Wait()
	t.Fatalf("azurite did not start: %s", complaints.String())
	return ""
}

// installAzurite returns the program, which is installed once and kept. Where that is not possible, the test is skipped.
func installAzurite(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is missing, which the emulator of Azure needs", program)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("there is no cache directory to install azurite in")
	}
	dir := filepath.Join(cache, "ferry-test", azurite)
	program := filepath.Join(dir, "node_modules", "azurite", "dist", "src", "blob", "main.js")
	if _, err := os.Stat(program); err == nil {
		return program
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Skipf("azurite cannot be installed: %v", err)
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "installing-")
	if err != nil {
		t.Skipf("azurite cannot be installed: %v", err)
	}
	defer os.RemoveAll(fresh)
	ctx, cancel := context.WithTimeout(t.Context(), installTime)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "install", "--prefix", fresh, "--no-audit", "--no-fund", "--omit=dev",
		"--loglevel=error", azurite)
	if output, err := install.CombinedOutput(); err != nil {
		t.Skipf("npm cannot install azurite: %v: %s", err, output)
	}
	// Who is second finds the directory there, and uses that one.
	if err := os.Rename(fresh, dir); err != nil {
		if _, err := os.Stat(program); err != nil {
			t.Skipf("azurite cannot be installed: %v", err)
		}
	}
	return program
}
