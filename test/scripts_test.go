package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ferry/remote/remotetest/servers"
)

// Every client does all it can, in clear and over both versions of TLS.
func TestClients(t *testing.T) {
	node := nodeClient(t)
	for name, tls := range map[string]string{"in clear": "", "over TLS 1.2": "1.2", "over TLS 1.3": "1.3"} {
		t.Run(name, func(t *testing.T) { runScripts(t, "testdata/clients", setting{tls: tls, node: node}) })
	}
}

func TestScripts(t *testing.T) { runScripts(t, "testdata/once", setting{}) }

// A setting is what scripts are run in. The zero value is a directory, in clear.
type setting struct {
	tls       string // the version of TLS that clients shall use; "" = none
	node      string // the directory with packages for Node.js; "" = there are none
	continues bool   // APPE and REST with STOR work
	big       int    // length of the large file of a script, which knows it as $BIG and a place before its end as $NEAREND
	// remote returns what a script serves, and the environment that describes it; nil = the
	// directory srv. It may be called by several goroutines.
	remote func() (what string, env []string)
}

// condition is what a script may ask for in brackets.
func (s setting) condition(name string) (bool, error) {
	if module, is := strings.CutPrefix(name, "perl:"); is {
		return exec.Command("perl", "-M"+module, "-e1").Run() == nil, nil
	}
	switch name {
	case "tls":
		return s.tls != "", nil
	case "basic-ftp":
		return s.node != "", nil
	case "continues":
		return s.continues, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// runner returns what a script runs ferry with.
func (s setting) runner() *runner {
	r := &runner{tls: s.tls, remote: "srv"}
	if s.remote != nil {
		r.remote, r.env = s.remote()
	}
	return r
}

// runScripts runs the scripts of dir, each in a directory of its own with an empty srv to serve, a
// certificate in cert.pem and key.pem, and configuration that tells the clients whether to use TLS.
func runScripts(t *testing.T, dir string, s setting) {
	testscript.Run(t, testscript.Params{
		Dir:       dir,
		Cmds:      commands,
		Condition: s.condition,
		Setup: func(env *testscript.Env) error {
			env.Values[running{}] = s.runner()
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("LC_ALL", "C.UTF-8")
			env.Setenv("PYTHON", python())
			env.Setenv("BIG", strconv.Itoa(s.big))
			env.Setenv("NEAREND", strconv.Itoa(s.big-5200))
			env.Setenv("MODE", map[bool]string{true: "clear", false: "tls"}[s.tls == ""])
			env.Setenv("VERSION", s.tls)
			env.Setenv("NODE_PATH", s.node)
			env.Setenv("OPENSSL_CONF", filepath.Join(env.WorkDir, "openssl.cnf"))
			for _, d := range []string{"srv", "home", "got"} {
				if err := os.Mkdir(filepath.Join(env.WorkDir, d), 0o777); err != nil {
					return err
				}
			}
			if _, err := writeCertificate(filepath.Join(env.WorkDir, "cert.pem"), filepath.Join(env.WorkDir, "key.pem")); err != nil {
				return err
			}
			return configureClients(env.WorkDir, s.tls)
		},
	})
}

// configureClients writes curlrc, the file that lftp reads by itself, and what OpenSSL goes by
// where a client does not say which version of TLS it wants.
func configureClients(work, tls string) error {
	curl := "silent\nshow-error\nfail\nmax-time = 300\nuser = \"bob:builder\"\n"
	lftp := "set cmd:fail-exit true\nset net:max-retries 1\nset net:timeout 60\nset ftp:use-mode-z no\n"
	openssl := ""
	if tls != "" {
		ca := filepath.Join(work, "cert.pem")
		curl += fmt.Sprintf("ssl-reqd\ncacert = %q\ntlsv%s\ntls-max = %s\n", ca, tls, tls)
		lftp += fmt.Sprintf("set ftp:ssl-force true\nset ftp:ssl-protect-data true\nset ssl:ca-file %q\n"+
			"set ssl:priority NORMAL:-VERS-ALL:+VERS-TLS%s\n", ca, tls)
		openssl = fmt.Sprintf("openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = versions\n[versions]\n"+
			"MinProtocol = TLSv%s\nMaxProtocol = TLSv%s\n", tls, tls)
	} else {
		lftp += "set ftp:ssl-allow false\n"
	}
	if err := os.WriteFile(filepath.Join(work, "openssl.cnf"), []byte(openssl), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(work, "curlrc"), []byte(curl), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(work, "home", ".lftprc"), []byte(lftp), 0o600)
}

// python is the system's interpreter where there is one: wrappers that come first in PATH may want
// another HOME.
func python() string {
	if path, err := exec.LookPath("/usr/bin/python3"); err == nil {
		return path
	}
	return "python3"
}

// nodeClient returns the directory with the client for Node.js, "" where it cannot be had.
func nodeClient(t *testing.T) string {
	t.Helper()
	dir, err := servers.NodePackages(t.Context(), "basic-ftp@6.2.6", filepath.Join("testdata", "basic-ftp"))
	if err != nil {
		t.Logf("basic-ftp for Node.js: %v", err)
	}
	return dir
}
