package servers

import (
	"bufio"
	"bytes"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// azurite is the emulator of Azure's blobs, with its version: a package of npm.
const azurite = "azurite@3.35.0"

// StartAzurite starts the emulator on a port of its own. It keeps everything in memory and ends
// with the test. It is installed once and kept in the user's cache; where that is not possible, the
// test is skipped.
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

// installAzurite returns the program. Where it cannot be had, the test is skipped.
func installAzurite(t *testing.T) string {
	t.Helper()
	SkipLong(t)
	modules, err := install(t.Context(), azurite, func(string) error { return nil }, "install", azurite)
	if err != nil {
		t.Skipf("the emulator of Azure: %v", err)
	}
	return filepath.Join(modules, "azurite", "dist", "src", "blob", "main.js")
}
