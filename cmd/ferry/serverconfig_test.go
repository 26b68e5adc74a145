package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serverFile writes a file of flags, for its owner alone.
func serverFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newServerFile makes one, and returns its name.
func newServerFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ferry.toml")
	serverFile(t, name, text)
	return name
}

// One file has all: what is served, flags of every kind, and the users. A flag and a variable come
// before it, a variable of ferry before one of rclone.
func TestServeFromAFile(t *testing.T) {
	name := newServerFile(t, `
remote = "scans"
[server]
addr = "127.0.0.1:0"
passive-port = 0
idle-timeout = "1s"
[cache]
cache-dir = "state"
[tls]
tls = "self-signed"
[users.bob]
password = '{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M='
`)
	scans := filepath.Join(filepath.Dir(name), "scans")
	if err := os.Mkdir(scans, 0o777); err != nil {
		t.Fatal(err)
	}
	env := []string{"FERRY_SERVER_CONFIG=" + name, "RCLONE_IDLE_TIMEOUT=2s", "FERRY_IDLE_TIMEOUT=1h"}
	r := startBare(t, env)
	c := dial(t, r.url(t))
	c.cmd(331, "USER bob")
	c.cmd(230, "PASS test")
	data := c.upload("f")
	io.WriteString(data, "hello")
	data.Close()
	c.want(226)
	if b, err := os.ReadFile(filepath.Join(scans, "f")); err != nil || string(b) != "hello" {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(name), "state", "tls")); err != nil {
		t.Error("--cache-dir is not beside the file:", err)
	}
}

func TestAFileWithMistakesDoesNotStart(t *testing.T) {
	name := newServerFile(t, "adr = \":1\"\n[users.bob]\nmax_sessions = \"x\"\n[server]\nuser = 1\n")
	status, _, stderr := runNow(t, nil, "serve", "ftp", ".", "--server-config", name)
	if status != exitUsage {
		t.Errorf("status %d", status)
	}
	for _, want := range []string{name + ":1:1: there is no key adr here: did you mean addr?", name + ":3:16: ", name + ":5:8: user:", "has 3 mistakes"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is missing:\n%s", want, stderr)
		}
	}
	name = newServerFile(t, "cert = \"x.pem\"\nremote = \".\"")
	if status, _, stderr := runNow(t, nil, "serve", "ftp", "--server-config", name); status != exitUsage || !strings.Contains(stderr, "--cert needs --key") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// Others who may read a file with secrets are warned of; without secrets they may.
func TestALooseServerFile(t *testing.T) {
	for text, warned := range map[string]bool{"pass = \"sesame\"": true, "user = \"bob\"": false} {
		name := newServerFile(t, "remote = \":memory:\"\naddr = \"127.0.0.1:0\"\n"+text)
		if err := os.Chmod(name, 0o644); err != nil {
			t.Fatal(err)
		}
		r := start(t, nil, "--server-config", name)
		r.url(t)
		if got := strings.Contains(r.logged(), "others may read or change a file with secrets"); got != warned || strings.Contains(r.logged(), "sesame") {
			t.Errorf("%s:\n%s", text, r.logged())
		}
	}
}

// A hangup applies what can change, to the session that is there, and names what cannot.
func TestHangupAppliesTheServerFile(t *testing.T) {
	name := newServerFile(t, `
remote = ":memory:"
addr = "127.0.0.1:0"
passive-port = 0
bwlimit = "off"
[users.ann]
auth = "none"
[users.bob]
auth = "none"
`)
	audit := filepath.Join(t.TempDir(), "audit")
	r := start(t, nil, "--server-config", name, "--audit-log", audit)
	url := r.url(t)
	c, ann := dial(t, url), dial(t, url)
	c.cmd(331, "USER bob")
	c.cmd(230, "PASS x")
	c.cmd(200, "PORT 127,0,0,1,200,1")
	ann.cmd(331, "USER ann")
	ann.cmd(230, "PASS x")
	serverFile(t, name, `
remote = ":memory:"
addr = "127.0.0.1:0"
passive-port = "30000-32000"
public-ip = "192.0.2.7"
no-active = true
max-sessions = 1
idle-timeout = "1s"
log-level = "DEBUG"
bwlimit = "10M"
ascii = "convert"
dir-cache-time = "7m"
[users.bob]
auth = "none"
`)
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "read the server configuration again")
	ann.want(421) // who is no user any more
	c.cmd(502, "PORT 127,0,0,1,200,1")
	if got := c.cmd(227, "PASV"); !strings.Contains(got, "192,0,2,7") {
		t.Errorf("PASV says %s", got)
	}
	r.waitFor(t, "restart ferry")
	for _, want := range []string{
		`changed="bwlimit idle-timeout log-level max-sessions no-active passive-port public-ip"`, `flags="ascii dir-cache-time"`,
		"removed=[ann]", "DEBUG : command",
	} {
		if !strings.Contains(r.logged(), want) {
			t.Errorf("%q is missing:\n%s", want, r.logged())
		}
	}
	lines, err := os.ReadFile(audit)
	for _, want := range []string{
		`"event":"config.reload"`, `"argument":"bwlimit idle-timeout log-level max-sessions no-active passive-port public-ip"`,
		`"result":"ok","cause":"restart ferry for ascii dir-cache-time"`,
	} {
		if err != nil || !strings.Contains(string(lines), want) {
			t.Errorf("%q is not in the audit log, %v:\n%s", want, err, lines)
		}
	}
	began := time.Now()
	c.want(421)
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the idle session ended after %v", took)
	}
}

// A file with mistakes changes nothing, and says so with the line; the next one counts.
func TestHangupWithABrokenServerFile(t *testing.T) {
	good := "remote = \":memory:\"\naddr = \"127.0.0.1:0\"\n"
	name := newServerFile(t, good)
	r := start(t, nil, "--server-config", name)
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	serverFile(t, name, good+"no-active = true\nmax-sessions = \"x\"\nadr = 1\n")
	r.signals <- syscall.SIGHUP
	r.waitFor(t, name+":4:16: max-sessions")
	r.waitFor(t, name+":5:1: there is no key adr")
	r.waitFor(t, "forgot all directories")
	c.cmd(200, "PORT 127,0,0,1,200,1")
	serverFile(t, name, good+"rc = true\nrc-user = \"x\"\n")
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "--rc-user and --rc-pass go together")
	serverFile(t, name, good+"no-active = true\n")
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "changed=no-active")
	c.cmd(502, "PORT 127,0,0,1,200,1")
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "no such file")
	c.cmd(502, "PORT 127,0,0,1,200,1")
}

// What the command line says stays, whatever the file says later.
func TestHangupLeavesTheCommandLine(t *testing.T) {
	name := newServerFile(t, "remote = \":memory:\"\nno-active = false\n")
	r := start(t, nil, "--server-config", name, "--no-active", "--addr", "127.0.0.1:0")
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	serverFile(t, name, "remote = \":memory:\"\nno-active = false\nidle-timeout = \"1h\"\nrequire-tls = false\n")
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "changed=idle-timeout")
	c.cmd(502, "PORT 127,0,0,1,200,1")
}

// Networks that are denied later are not admitted.
func TestHangupDeniesNetworks(t *testing.T) {
	good := "remote = \":memory:\"\naddr = \"127.0.0.1:0\"\n"
	name := newServerFile(t, good)
	r := start(t, nil, "--server-config", name)
	url := r.url(t)
	c := dial(t, url)
	serverFile(t, name, good+"deny = \"127.0.0.0/8\"\n")
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "changed=deny")
	c.cmd(200, "NOOP")
	refused := dialRaw(t, url)
	refused.want(421)
}

// What is turned reaches those who use it: the limits of new sessions and of the remote, the times
// that LIST shows, and the end of the server.
func TestHangupTurnsWhatIsUsed(t *testing.T) {
	dir, err := os.MkdirTemp("", "rc") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	good := "remote = \":memory:\"\naddr = \"127.0.0.1:0\"\npassive-port = 0\nrc = true\nrc-no-auth = true\nrc-addr = \"" + socket + "\"\nbwlimit = \"1M\"\ntls = \"self-signed\"\n"
	name := newServerFile(t, good+"shutdown-timeout = \"1h\"\n")
	r := start(t, nil, "--server-config", name)
	url := r.url(t)
	c := dial(t, url)
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	if out, _ := call(t, exitOK, "--unix-socket", socket, "core/bwlimit"); out["rate"] != "1Mi" {
		t.Errorf("core/bwlimit: %v", out)
	}
	serverFile(t, name, strings.Replace(good, "1M", "7M", 1)+"shutdown-timeout = \"10ms\"\nmax-sessions-per-ip = 1\nrequire-tls = true\nlogin-timeout = \"1s\"\n")
	r.signals <- syscall.SIGHUP
	r.waitFor(t, `changed="bwlimit login-timeout max-sessions-per-ip require-tls shutdown-timeout"`)
	if out, _ := call(t, exitOK, "--unix-socket", socket, "core/bwlimit"); out["rate"] != "7Mi" {
		t.Errorf("core/bwlimit: %v", out)
	}
	dialRaw(t, url).want(421)
	c.cmd(229, "EPSV")
	c.cmd(521, "LIST")
	c.cmd(530, "USER anonymous")
	serverFile(t, name, good+"shutdown-timeout = \"10ms\"\n")
	r.signals <- syscall.SIGHUP
	r.waitFor(t, `changed="bwlimit login-timeout max-sessions-per-ip require-tls"`)
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	c.upload("f")
	r.signals <- syscall.SIGTERM
	if status := r.wait(t); status != exitOK || !strings.Contains(r.logged(), "aborted") {
		t.Errorf("status %d:\n%s", status, r.logged())
	}
}

// ferry users shows and changes the users that are in the file of all flags, and leaves the rest of
// it alone.
func TestUsersCommandsOnAServerFile(t *testing.T) {
	flagsOf := "# flags\nremote = \":memory:\" # served\n[server]\naddr = \":2121\"\n\n"
	name := newServerFile(t, flagsOf+"[users.bob]\nmax_sessions = 3\n")
	run := func(want int, args ...string) string {
		t.Helper()
		status, stdout, stderr := runNow(t, []string{"RCLONE_CONFIG=notfound"}, append([]string{"users", "--server-config", name}, args...)...)
		if status != want {
			t.Errorf("%v: status %d: %s%s", args, status, stdout, stderr)
		}
		return stdout + stderr
	}
	if out := run(exitOK, "explain", "bob"); !strings.Contains(out, "max_sessions") || !strings.Contains(out, name+":7") {
		t.Errorf("explain says %s", out)
	}
	run(exitOK, "rm", "bob")
	if b, err := os.ReadFile(name); err != nil || !strings.HasPrefix(string(b), flagsOf[:len(flagsOf)-1]) || strings.Contains(string(b), "bob") {
		t.Errorf("the file is %q, %v", b, err)
	}
	serverFile(t, name, "users = \"own.toml\"\n")
	serverFile(t, filepath.Join(filepath.Dir(name), "own.toml"), "[users.ann]\nnote = \"hers\"\n")
	if out := run(exitOK, "ls"); !strings.Contains(out, "ann") {
		t.Errorf("ls says %s", out)
	}
	serverFile(t, name, flagsOf+"[users.bob]\nmax_sesions = 3\n")
	if out := run(exitFailure, "check"); !strings.Contains(out, name+":7:1: there is no key max_sesions") {
		t.Errorf("check says %s", out)
	}
}
