package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/cmd/ferry/internal/serverconfig"
)

// ferry config check tells all that is wrong, in the file and in what it names, and where.
func TestConfigCheck(t *testing.T) {
	name := newServerFile(t, `remote = "nas:scans"
cert = "none.pem"
key = "none.pem"
rc-user = "x"
adr = ":21"
[filter]
include-from = "none.txt"
[cache]
vfs-cache-mode = "everything"
[server]
users = "users.toml"
`)
	users := filepath.Join(filepath.Dir(name), "users.toml")
	serverFile(t, users, "[users.bob]\nmax_sesions = 1\n")
	env := []string{"RCLONE_CONFIG=notfound"}
	status, stdout, stderr := runNow(t, env, "config", "check", name)
	for _, want := range []string{
		name + `:1: "nas": there is no such remote`, name + ":2: --cert: ", name + ":4: --rc-user and --rc-pass",
		name + ":5:1: there is no key adr", name + ":7: --include-from", name + ":9:18: vfs-cache-mode:", users + ":2:1: there is no key max_sesions",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing:\n%s", want, stdout)
		}
	}
	if status != exitFailure || strings.Count(stdout, "\n") != 7 || !strings.Contains(stderr, "7") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}

	name = newServerFile(t, "remote = \":memory:\"\n[users.bob]\nremote = \"nowhere:x\"\n")
	for _, args := range [][]string{{name}, {"--server-config", name}} {
		status, stdout, _ := runNow(t, env, append([]string{"config", "check"}, args...)...)
		if status != exitFailure || !strings.Contains(stdout, name+":3:10: ") || strings.Count(stdout, "\n") != 1 {
			t.Errorf("status %d: %s", status, stdout)
		}
	}
	serverFile(t, name, "remote = \":memory:\"\n[users.bob]\nremote = \":memory:\"\n")
	if status, stdout, stderr := runNow(t, append(env, "FERRY_SERVER_CONFIG="+name), "config", "check"); status != exitOK || stdout+stderr != "" {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	if status, _, stderr := runNow(t, env, "config", "check"); status != exitUsage || !strings.Contains(stderr, "which file?") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if status, stdout, stderr := runNow(t, env, "config", "check", name+"x"); status == exitOK || !strings.Contains(stdout+stderr, "no such file") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
}

// ferry config show tells where each value comes from, and hides secrets.
func TestConfigShowOfAServer(t *testing.T) {
	name := newServerFile(t, `remote = ":sftp,host=h,pass=sesamesesamesesamesesame:x"
[server]
addr = ":2121"
max-sessions = 7
idle-timeout = "9m"
login-timeout = "8s"
[users.bob]
password = '{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M='
[remote-control]
rc-pass = "sesame"
rc-user = "x"
`)
	env := []string{"FERRY_IDLE_TIMEOUT=3m", "RCLONE_LOGIN_TIMEOUT=4s", "RCLONE_CONFIG=notfound"}
	args := []string{"config", "show", "--server-config", name, "--max-sessions", "3"}
	status, stdout, stderr := runNow(t, env, args...)
	if status != exitOK || strings.Contains(stdout, "sesame") || strings.Contains(stdout, "qUqP5") {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	for flag, want := range map[string][2]string{
		"addr": {"[':2121']", name + ":3"}, "max-sessions": {"3", "flag"}, "idle-timeout": {"'3m0s'", "FERRY_IDLE_TIMEOUT"},
		"login-timeout": {"'4s'", "RCLONE_LOGIN_TIMEOUT"}, "rc-pass": {"'***'", name + ":10"}, "user": {"'anonymous'", "default"},
		"# server-config": {"'" + name + "'", "flag"}, "remote": {"", name + ":1"},
	} {
		found := false
		for line := range strings.Lines(stdout) {
			fields := strings.SplitN(line, " = ", 2)
			if fields[0] != flag {
				continue
			}
			found = true
			if !strings.HasPrefix(fields[1], want[0]) || !strings.HasSuffix(line, "# "+want[1]+"\n") {
				t.Errorf("%q, want %v", line, want)
			}
		}
		if !found {
			t.Errorf("%s is missing:\n%s", flag, stdout)
		}
	}
	if !strings.Contains(stdout, "# users: 1 in "+name) {
		t.Errorf("the users are missing:\n%s", stdout)
	}

	_, stdout, _ = runNow(t, env, append(args, "--json")...)
	var all []serverconfig.Shown
	if err := json.Unmarshal([]byte(stdout), &all); err != nil || strings.Contains(stdout, "sesame") {
		t.Fatalf("%v: %s", err, stdout)
	}
	seen := map[string]string{}
	for _, one := range all {
		seen[one.Flag] = fmt.Sprint(one.Section, " ", one.Value, " ", one.From, " ", one.Where, " ", one.Live != "")
	}
	for flag, want := range map[string]string{
		"max-sessions": "server 3 flag  true", "idle-timeout": "server 3m0s variable FERRY_IDLE_TIMEOUT true", "dir-cache-time": "vfs 5m0s default  false",
		"addr": "server [:2121] file " + name + ":3 false",
	} {
		if seen[flag] != want {
			t.Errorf("%s: %q, want %q", flag, seen[flag], want)
		}
	}
}

// Without a word about a server it is what rclone's command is; a variable or a flag is such a
// word.
func TestConfigShowOfRemotes(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "rclone.conf")
	if err := os.WriteFile(conf, []byte("[nas]\ntype = memory\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	name := newServerFile(t, "remote = \"nas:\"\n")
	for _, tt := range []struct {
		env, args []string
		want      string
	}{
		{nil, nil, "[nas]"},
		{nil, []string{"nas"}, "[nas]"},
		{[]string{"FERRY_SERVER_CONFIG=" + name}, []string{"nas"}, "[nas]"},
		{[]string{"FERRY_SERVER_CONFIG=" + name}, nil, "[server]"},
		{nil, []string{"--server"}, "[server]"},
		{nil, []string{"--read-only"}, "[server]"},
	} {
		status, stdout, stderr := runNow(t, append(tt.env, "RCLONE_CONFIG="+conf), append([]string{"config", "show"}, tt.args...)...)
		if status != exitOK || !strings.Contains(stdout, tt.want) {
			t.Errorf("%v %v: status %d: %s%s", tt.env, tt.args, status, stdout, stderr)
		}
	}
	if status, _, stderr := runNow(t, []string{"RCLONE_CONFIG=" + conf}, "config", "show", "--json"); status != exitUsage || !strings.Contains(stderr, "--server-config") {
		t.Errorf("status %d: %s", status, stderr)
	}
}
