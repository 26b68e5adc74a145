package main

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// greeting returns the first line that a server sends.
func greeting(t *testing.T, url string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "ftp://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestNetworksThatAreNotServed(t *testing.T) {
	for _, args := range [][]string{{"--allow", "10.0.0.0/8,192.0.2.1"}, {"--deny", "10.0.0.0/8", "--deny", "127.0.0.0/8"}} {
		r := start(t, nil, append([]string{":memory:", "--addr", "127.0.0.1:0"}, args...)...)
		if line := greeting(t, r.url(t)); !strings.HasPrefix(line, "421 No service") {
			t.Errorf("%v: %s", args, line)
		}
		r.waitFor(t, "session refused")
	}
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--allow", "127.0.0.1")
	if line := greeting(t, r.url(t)); !strings.HasPrefix(line, "220") {
		t.Error(line)
	}
	if status, _, stderr := runNow(t, nil, "serve", "ftp", ":memory:", "--deny", "10.0.0.0/40"); status != exitUsage || !strings.Contains(stderr, "is no network") {
		t.Errorf("%d %s", status, stderr)
	}
}

func TestBansByRemoteControl(t *testing.T) {
	r, socket := controlled(t, ":memory:", "--user", "bob", "--pass", "builder", "--rc-no-auth")
	url := r.url(t)
	member, guest := dial(t, url), dial(t, url)
	member.cmd(331, "USER bob")
	member.cmd(230, "PASS builder")
	out, _ := call(t, exitOK, "--unix-socket", socket, "ftp/ban", "address=127.0.0.0/8", "for=1h")
	if out["network"] != "127.0.0.0/8" {
		t.Errorf("%v", out)
	}
	guest.want(421)
	member.cmd(200, "NOOP")
	out, _ = call(t, exitOK, "--unix-socket", socket, "ftp/bans")
	if all := out["bans"].([]any); len(all) != 1 || all[0].(map[string]any)["reason"] != "by the administrator" {
		t.Errorf("%v", out)
	}
	call(t, exitOK, "--unix-socket", socket, "ftp/unban", "address=127.0.0.0/8")
	call(t, exitFailure, "--unix-socket", socket, "ftp/unban", "address=127.0.0.0/8")
	call(t, exitFailure, "--unix-socket", socket, "ftp/ban", "address=localhost")
}

func TestTheLogOfLogins(t *testing.T) {
	name := filepath.Join(t.TempDir(), "auth.log")
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "builder", "--auth-log", name)
	c := dial(t, r.url(t))
	c.cmd(331, "USER eve")
	c.cmd(530, "PASS builder")
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	r.signals <- syscall.SIGHUP
	r.waitFor(t, "opened the log of logins again")
	c.cmd(331, "USER bob")
	c.cmd(230, "PASS builder")
	for file, want := range map[string]string{
		name + ".1": `[eve] FAIL LOGIN: Client "127.0.0.1", "unknown user"` + "\n",
		name:        `[bob] OK LOGIN: Client "127.0.0.1"` + "\n",
	} {
		text, err := os.ReadFile(file)
		if err != nil || !strings.HasSuffix(string(text), want) || strings.Count(string(text), "\n") != 1 {
			t.Errorf("%s: %q %v", file, text, err)
		}
	}
}
