package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// apacheModules is where Debian keeps the modules of Apache.
const apacheModules = "/usr/lib/apache2/modules/"

// StartApache runs Apache over an empty directory, with modules (dav, autoindex) and directives for
// that directory. It returns its address and the directory, and stops Apache at the end of the
// test.
func StartApache(t *testing.T, modules []string, directives ...string) (url, files string) {
	t.Helper()
	program := FindProgram(t, "apache2")
	dir, port := t.TempDir(), FreePort(t)
	files = filepath.Join(dir, "files")
	if err := os.Mkdir(files, 0o777); err != nil {
		t.Fatal(err)
	}
	var conf strings.Builder
	for _, m := range append([]string{"mpm_event", "authz_core"}, modules...) {
		if _, err := os.Stat(apacheModules + "mod_" + m + ".so"); err == nil { // else it is built in
			fmt.Fprintf(&conf, "LoadModule %s_module %smod_%s.so\n", m, apacheModules, m)
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
StartServers 1
DocumentRoot %[1]s/files
<IfModule dav_fs_module>
DavLockDB %[1]s/lock
</IfModule>
<Directory %[1]s/files>
Require all granted
%[3]s
</Directory>
`, dir, port, strings.Join(directives, "\n"))
	name := filepath.Join(dir, "httpd.conf")
	if err := os.WriteFile(name, []byte(conf.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	url = fmt.Sprintf("http://127.0.0.1:%d", port)
	StartWebServer(t, url, filepath.Join(dir, "error.log"), exec.Command(program, "-X", "-f", name))
	return url, files
}
