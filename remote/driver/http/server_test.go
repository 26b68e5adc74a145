package http_test

import (
	"fmt"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ferry/remote/remotetest/servers"
)

// A server serves the directory files at url.
type server struct {
	url, files string
}

// pageServers are the programs whose pages the driver reads.
func pageServers() map[string]func(t *testing.T) server {
	return map[string]func(t *testing.T) server{
		"Go":     startGo,
		"Apache": startApache,
		"nginx":  startNginx,
		"Caddy":  startCaddy,
	}
}

func startGo(t *testing.T) server {
	files := t.TempDir()
	s := httptest.NewServer(nethttp.FileServer(nethttp.Dir(files)))
	t.Cleanup(s.Close)
	return server{s.URL, files}
}

// publicDir makes a directory that a server under another user can read.
func publicDir(t *testing.T, dir string) string {
	t.Helper()
	files := filepath.Join(dir, "files")
	for d := files; strings.HasPrefix(d, filepath.Dir(filepath.Dir(dir))) && d != os.TempDir(); d = filepath.Dir(d) {
		_ = os.Chmod(d, 0o755)
	}
	if err := os.Mkdir(files, 0o755); err != nil {
		t.Fatal(err)
	}
	return files
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func startApache(t *testing.T) server {
	url, files := servers.StartApache(t, []string{"dir", "autoindex"}, "Options +Indexes",
		"IndexOptions FancyIndexing IconsAreLinks HTMLTable")
	return server{url, files}
}

func startNginx(t *testing.T) server {
	program := servers.FindProgram(t, "nginx")
	dir, port := t.TempDir(), servers.FreePort(t)
	s := server{fmt.Sprintf("http://127.0.0.1:%d", port), publicDir(t, dir)}
	write(t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(`
daemon off;
master_process off;
pid %[1]s/pid;
error_log %[1]s/error.log;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen 127.0.0.1:%[2]d;
		root %[1]s/files;
		autoindex on;
	}
}
`, dir, port))
	servers.StartWebServer(t, s.url, filepath.Join(dir, "error.log"),
		exec.Command(program, "-e", filepath.Join(dir, "error.log"), "-p", dir, "-c", filepath.Join(dir, "nginx.conf")))
	return s
}

func startCaddy(t *testing.T) server {
	program := servers.FindProgram(t, "caddy")
	dir, port := t.TempDir(), servers.FreePort(t)
	s := server{fmt.Sprintf("http://127.0.0.1:%d", port), publicDir(t, dir)}
	write(t, filepath.Join(dir, "Caddyfile"), fmt.Sprintf(`
{
	admin off
	auto_https off
}
http://127.0.0.1:%d {
	bind 127.0.0.1
	root * %s
	file_server browse
}
`, port, s.files))
	cmd := exec.Command(program, "run", "--adapter", "caddyfile", "--config", filepath.Join(dir, "Caddyfile"))
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	servers.StartWebServer(t, s.url, "", cmd)
	return s
}
