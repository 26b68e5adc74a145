package webdav_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ferry/remote/remotetest"
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
	program := remotetest.FindProgram(t, "apache2")
	dir := t.TempDir()
	a := &apache{files: filepath.Join(dir, "files")}
	port := remotetest.FreePort(t)
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
# Two files of one length that were written within a tick of the kernel differ in the inode alone.
FileETag INode MTime Size
%[3]s
</Directory>
`, dir, port, extra)
	file := filepath.Join(dir, "httpd.conf")
	if err := os.WriteFile(file, []byte(conf.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	remotetest.StartWebServer(t, a.url, filepath.Join(dir, "error.log"), exec.Command(program, "-X", "-f", file))
	return a
}
