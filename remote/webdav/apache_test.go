package webdav_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An apache is Apache's web server with a directory served by its mod_dav.
type apache struct {
	url   string
	files string // the directory
}

// apacheModules are what the configuration needs; those that are built in have no file.
var apacheModules = []string{"mpm_event", "authn_core", "authz_core", "authn_file", "authz_user", "auth_basic", "auth_digest", "dav", "dav_fs"}

// startApache runs Apache with extra lines for the directory that it serves. It stops when the test ends.
func startApache(t *testing.T, extra string) *apache {
	t.Helper()
	program := find(t, "apache2", "/usr/sbin/apache2")
	dir := t.TempDir()
	a := &apache{files: filepath.Join(dir, "files")}
	port := freePort(t)
	a.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	if err := os.MkdirAll(a.files, 0o777); err != nil {
		t.Fatal(err)
	}
	var conf strings.Builder
	for _, m := range apacheModules {
		file := "/usr/lib/apache2/modules/mod_" + m + ".so"
		if _, err := os.Stat(file); err == nil {
			fmt.Fprintf(&conf, "LoadModule %s_module %s\n", m, file)
		}
	}
	fmt.Fprintf(&conf, `
ServerRoot %[1]s
ServerName 127.0.0.1
Listen 127.0.0.1:%[2]d
PidFile %[1]s/pid
ErrorLog %[1]s/error.log
DefaultRuntimeDir %[1]s
Mutex file:%[1]s
DavLockDB %[1]s/lock
StartServers 1
ServerLimit 2
ThreadsPerChild 25
DocumentRoot %[1]s/files
<Directory %[1]s/files>
Require all granted
Dav On
%[3]s
</Directory>
`, dir, port, extra)
	file := filepath.Join(dir, "httpd.conf")
	if err := os.WriteFile(file, []byte(conf.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, a.url, filepath.Join(dir, "error.log"), exec.Command(program, "-X", "-f", file))
	return a
}

// find returns the path of a program, or skips the test.
func find(t *testing.T, name string, places ...string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, path := range places {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// freePort returns a port that nobody listens on at the moment.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// run starts a server, waits until it answers at url, and ends it with the test.
func run(t *testing.T, url, logFile string, cmd *exec.Cmd) {
	t.Helper()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
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
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodOptions, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
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
