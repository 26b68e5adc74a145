// Package servers starts real programs that remotes talk to, for tests: those of the system, and
// those that are built from a Go module or unpacked from a package. A test whose program is missing
// is skipped and names it.
package servers

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// startTime is how long a server may take until it answers.
const startTime = time.Minute

// SkipLong skips a test when only short ones are run: one that takes long, or needs a server.
func SkipLong(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long, or needs a server")
	}
}

// FindProgram returns the path of a program of the system, or skips the test and names it. Servers
// are often where only the administrator looks.
func FindProgram(t *testing.T, name string) string {
	t.Helper()
	SkipLong(t)
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin/", "/usr/local/sbin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path
		}
	}
	t.Skipf("the program %s is not installed", name)
	return ""
}

// StartWebServer runs a server in the foreground, waits until it answers at url, and ends it with
// the test. What it printed, and what it wrote to logFile, shows when it does not start.
func StartWebServer(t *testing.T, url, logFile string, cmd *exec.Cmd) {
	t.Helper()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = startTime // for a child of its own that it leaves behind
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
	})
	ctx, cancel := context.WithTimeout(t.Context(), startTime)
	defer cancel()
	for {
		err := answers(ctx, url)
		if err == nil {
			return
		}
		select {
		case <-exited:
			logged, _ := os.ReadFile(logFile)
			t.Fatalf("the server ended: %s%s", output.String(), logged)
		case <-ctx.Done():
			t.Fatalf("the server does not answer: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func answers(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodOptions, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// BuildProgram returns a program of a Go module. It is built once per machine and stays in the
// user's cache. When it cannot be built, the test is skipped, on the build machine (CI is set) it
// fails.
func BuildProgram(t testing.TB, path, version string) string {
	t.Helper()
	SkipLong(t)
	program, err := buildProgram(path, version)
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatalf("%s cannot be built: %v", path, err)
	case err != nil:
		t.Skipf("%s cannot be built: %v", path, err)
	}
	return program
}

func buildProgram(path, version string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	name := filepath.Base(path)
	dir := filepath.Join(cache, "ferry-test", name+"-"+version)
	program := filepath.Join(dir, name)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	cmd := exec.Command("go", "install", path+"@"+version)
	cmd.Dir = os.TempDir() // no module may change the versions
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, nil
}
