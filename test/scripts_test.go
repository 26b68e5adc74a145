package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestClientsInClear(t *testing.T) { runScripts(t, "testdata/clients", setting{}) }
func TestClientsOverTLS(t *testing.T) { runScripts(t, "testdata/clients", setting{tls: true}) }
func TestScripts(t *testing.T)        { runScripts(t, "testdata/once", setting{}) }

// A setting is what scripts are run in. The zero value is a directory, in clear.
type setting struct {
	tls       bool // clients shall use TLS
	continues bool // APPE and REST with STOR work
	big       int  // length of the large file of a script, which knows it as $BIG and a place before its end as $NEAREND
	// remote returns what a script serves, and the environment that describes it; nil = the directory srv. It may be
	// called by several goroutines.
	remote func() (what string, env []string)
}

// condition is what a script may ask for in brackets.
func (s setting) condition(name string) (bool, error) {
	switch name {
	case "tls":
		return s.tls, nil
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

// runScripts runs the scripts of dir, each in a directory of its own with an empty srv to serve, a certificate in
// cert.pem and key.pem, and configuration that tells the clients whether to use TLS.
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
			env.Setenv("MODE", map[bool]string{false: "clear", true: "tls"}[s.tls])
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

// configureClients writes curlrc and the file that lftp reads by itself.
func configureClients(work string, tls bool) error {
	curl := "silent\nshow-error\nfail\nmax-time = 300\nuser = \"bob:builder\"\n"
	lftp := "set cmd:fail-exit true\nset net:max-retries 1\nset net:timeout 60\nset ftp:use-mode-z no\n"
	if tls {
		ca := filepath.Join(work, "cert.pem")
		curl += fmt.Sprintf("ssl-reqd\ncacert = %q\n", ca)
		lftp += fmt.Sprintf("set ftp:ssl-force true\nset ftp:ssl-protect-data true\nset ssl:ca-file %q\n", ca)
	} else {
		lftp += "set ftp:ssl-allow false\n"
	}
	if err := os.WriteFile(filepath.Join(work, "curlrc"), []byte(curl), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(work, "home", ".lftprc"), []byte(lftp), 0o600)
}

// python is the system's interpreter where there is one: wrappers that come first in PATH may want another HOME.
func python() string {
	if path, err := exec.LookPath("/usr/bin/python3"); err == nil {
		return path
	}
	return "python3"
}
