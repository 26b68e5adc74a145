package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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

const badHooks = `
[[hooks]]
events = "upload.stored"
program = %q
[[hooks]]
events = "check"
program = [%q, "x"]
[[hooks]]
events = "pre.upload"
program = [
  %q]
[[hooks]]
events = "pre.delete"
program = "no-such-program-anywhere"
[[hooks]]
events = "pre.rename"
program = %q
[[hooks]]
events = "delete"
url = "https://example.org/"
secret_file = "/none/secret"
`

// What a hook calls is looked at before it is needed: by the checks, and by the start, each with
// the line.
func TestProgramsOfHooksAreChecked(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes")
	}
	dir := t.TempDir()
	plain, good := filepath.Join(dir, "plain"), filepath.Join(dir, "good")
	serverFile(t, plain, "#!/bin/sh\n")
	serverFile(t, good, "#!/bin/sh\n")
	if err := os.Chmod(good, 0o700); err != nil {
		t.Fatal(err)
	}
	const head = "remote = \":memory:\"\naddr = \"127.0.0.1:0\"\nhook = [\"delete=/none/at-all\"]\n"
	hooks := fmt.Sprintf(badHooks, "/none/import", good, plain, dir)
	for form, users := range map[string]string{"with users": "[users.bob]\nremote = \":memory:\"\n", "without": "[defaults]\numask = \"022\"\n"} {
		if form == "without" {
			users = ""
		}
		name := newServerFile(t, head+users+hooks)
		at := strings.Count(head+users, "\n") + 1
		want := []string{
			name + ":3: --hook: there is no program /none/at-all",
			fmt.Sprintf("%s:%d:11: hooks.0.program: there is no program /none/import", name, at+3),
			fmt.Sprintf("%s:%d:11: hooks.2.program: %s is not executable: chmod +x", name, at+9, plain),
			fmt.Sprintf("%s:%d:11: hooks.3.program: there is no program no-such-program-anywhere in PATH", name, at+13),
			fmt.Sprintf("%s:%d:11: hooks.4.program: %s is a directory", name, at+16, dir),
			fmt.Sprintf("%s:%d:15: hooks.5.secret_file: ", name, at+20),
		}
		status, stdout, stderr := runNow(t, []string{"RCLONE_CONFIG=notfound"}, "config", "check", name)
		for _, line := range want {
			if !strings.Contains(stdout, line) {
				t.Errorf("%s: %q is missing:\n%s", form, line, stdout)
			}
		}
		if status != exitFailure || strings.Count(stdout, "\n") != len(want) {
			t.Errorf("%s: status %d\n%s%s", form, status, stdout, stderr)
		}
		_, stdout, stderr = runNow(t, []string{"RCLONE_CONFIG=notfound", "HOME=" + dir}, "serve", "ftp", "--server-config", name)
		for _, line := range want {
			if !strings.Contains(stderr, strings.TrimPrefix(line, name+":3: ")) {
				t.Errorf("%s: the start does not say %q:\n%s%s", form, line, stdout, stderr)
			}
		}
	}
	file := newServerFile(t, "[users.bob]\nauth = \"none\"\nremote = \":memory:\"\n"+hooks)
	status, stdout, _ := runNow(t, nil, "users", "check", "--users", file)
	if status != exitFailure || !strings.Contains(stdout, file+":7:11: hooks.0.program: there is no program /none/import") || strings.Count(stdout, "hooks.") != 5 {
		t.Errorf("users check: %d: %s", status, stdout)
	}
}
