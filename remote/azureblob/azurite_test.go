package azureblob_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/remote/azureblob"
)

// azurite is the emulator the tests run against, with its version: a package of npm.
const azurite = "azurite@3.35.0"

// installTime is how long the installation may take.
const installTime = 5 * time.Minute

// A service is an emulator on a port of its own.
type service struct {
	endpoint   string
	containers int
}

// startService starts the emulator, which keeps everything in memory.
func startService(t *testing.T) *service {
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
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for lines.Scan() {
		}
		_ = cmd.Wait()
	})
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "successfully listens on "); ok {
			return &service{endpoint: strings.TrimSpace(address) + "/devstoreaccount1"}
		}
	}
	t.Fatalf("azurite did not start: %s", complaints.String())
	return nil
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

// options are how the emulator is reached.
func (s *service) options() azureblob.Options {
	return azureblob.Options{Credentials: azureblob.Credentials{UseEmulator: true}, Endpoint: s.endpoint}
}

// container makes an empty container.
func (s *service) container(t *testing.T) string {
	t.Helper()
	s.containers++
	name := fmt.Sprintf("container-%d", s.containers)
	all := open(t, "", s.options())
	defer all.Close()
	if err := all.Mkdir(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return name
}

func open(t *testing.T, path string, o azureblob.Options) *azureblob.Remote {
	t.Helper()
	r, err := azureblob.New(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
